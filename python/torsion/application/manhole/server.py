"""A prompt for each operator who connects."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING, Any

from torsion import __version__
from torsion.application.localpeer import peerCredentials
from torsion.application.manhole.namespace import names_of
from torsion.application.manhole.session import Session
from torsion.internet.protocol import ServerFactory
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SESSIONS", "ManholeFactory"]

SESSIONS = 8
"""How many operators may be connected at a time; each may keep a few megabytes here."""

_log = Logger("torsion.application.manhole")


class ManholeFactory(ServerFactory):
    """Makes a session for each connection.  Listen with ``listenPrivately``: whoever connects may do whatever this process may.

    :ivar sessions: those that are open.
    """

    protocol = Session
    noisy = False
    operating = False
    """Whether its port is the command's own, and no service's."""

    def __init__(self, reactor: Any, names: Callable[[], dict[str, Any]] | None = None) -> None:
        """Make a factory.

        :param reactor: the reactor that runs here.
        :param names: returns the names at hand, anew for each session; by default just those of *reactor*.
        """
        self.reactor = reactor
        self.names = names or (lambda: names_of(reactor))
        self.sessions: dict[Session, str] = {}

    def entered(self, session: Session) -> str | None:
        """Have a session more; return why it is to be refused, if it is."""
        if len(self.sessions) >= SESSIONS:
            return f"{SESSIONS} sessions are open, and no more are allowed; leave one of them"
        try:
            peer = peerCredentials(session.transport.fileno())
            who = f"user {peer.uid}, process {peer.pid}"
        except (AttributeError, OSError):  # another front than a Unix socket
            who = str(session.transport.getPeer())
        self.sessions[session] = who
        _log.info("Manhole: {who} has come in", who=who)
        return None

    def left(self, session: Session) -> None:
        """Have a session less."""
        who = self.sessions.pop(session, None)
        if who is not None:
            _log.info("Manhole: {who} has left", who=who)

    def banner(self) -> str:
        """Return what an operator is told first."""
        names = ", ".join(sorted(name for name in self.names() if not name.startswith("_")))
        return (
            f"torsion {__version__} on {platform.python_implementation()} {platform.python_version()}, process {os.getpid()}, "
            f"{type(self.reactor).__name__}\n"
            f"At hand: {names}.\n"
            "What you type runs in the process's own thread: while it runs, nothing else does. Deferreds are waited for, and await\n"
            "may be used; Ctrl-C interrupts, Ctrl-D leaves.\n"
        )

    def hangUp(self, why: str) -> None:
        """Tell all operators *why*, and end their sessions."""
        for session in list(self.sessions):
            session.refuse(why)
