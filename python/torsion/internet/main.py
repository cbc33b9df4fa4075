"""Installing the process's default reactor, and two exceptions that say how a connection ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.internet._current import installed_reactor, set_installed
from torsion.internet.error import ConnectionDone, ConnectionLost, ReactorAlreadyInstalledError

if TYPE_CHECKING:
    from typing import Any

__all__ = ["CONNECTION_DONE", "CONNECTION_LOST", "installReactor"]

CONNECTION_DONE = ConnectionDone("Connection done")
"""What a descriptor's ``doRead`` returns when its peer has closed in order."""

CONNECTION_LOST = ConnectionLost("Connection lost")
"""What a descriptor's ``doRead`` or ``doWrite`` returns when its connection broke."""


def installReactor(reactor: Any) -> None:
    """Make a reactor the process's default one, which ``from torsion.internet import reactor`` gives from now on.

    :param reactor: that reactor.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is one already. Install yours before
        importing anything that imports ``torsion.internet.reactor``.
    """
    present = installed_reactor()
    if present is not None:
        raise ReactorAlreadyInstalledError(
            f"cannot install {reactor!r}: {present!r} is the process's default reactor already; "
            "install before anything imports torsion.internet.reactor"
        )
    set_installed(reactor)
