"""Child processes: starting them, their pipes and terminals, and their end."""

from torsion.internet.transports.process.process import Process
from torsion.internet.transports.process.pty import PTYProcess

__all__ = ["PTYProcess", "Process"]
