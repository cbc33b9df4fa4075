"""Asking a running process to reload, to restart or to stop, and hearing what came of it.

``protocol`` what both ends say, and the process's end · ``service`` where it listens · ``client`` the end of those who ask ·
``signals`` asking by signals, where there is no socket.
"""

from torsion.application.control.client import Asked, ControlError, ask
from torsion.application.control.protocol import ControlFactory, ControlProtocol
from torsion.application.control.service import ControlService

__all__ = ["Asked", "ControlError", "ControlFactory", "ControlProtocol", "ControlService", "ask"]
