"""Connections to be made over the engine, as Twisted's applications know them."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IConnector
from zope.interface import implementer

from torsion.internet.error import ServiceNameUnknownError
from torsion.internet.transports.connecting import Attempt, BaseConnector
from torsion.internet.transports.connector import Connector
from torsion.internet.transports.unix import Connector as _UNIXConnector
from torsion.interop.twisted.dialect import TWISTED, as_text
from torsion.interop.twisted.handles import lent, take_back
from torsion.interop.twisted.posing import Posing
from torsion.interop.twisted.streams import StreamOwning, TCPClient, UNIXClient

if TYPE_CHECKING:
    _Connector = BaseConnector
else:
    _Connector = object

__all__ = ["TCPConnector", "UNIXConnector"]


class Pending:
    """What a connector has for a transport while it tries."""

    connected = disconnected = disconnecting = False
    logstr = "Uninitialized"
    watched = True
    """Whether the reactor watches it; that it does not has no meaning to the attempt, which goes on."""

    def __init__(self, connector: BaseConnector, attempt: Attempt) -> None:
        self._connector = connector
        self._attempt = attempt

    def fileno(self) -> int:
        """Return the descriptor; -1 if there is none yet, or no more."""
        return -1 if self._attempt.native is None else self._attempt.native.fileno()

    def getHandle(self) -> socket.socket:
        """Return the socket, to set options.

        :raises OSError: if there is none yet, or no more.
        """
        return lent(self, self.fileno())

    @property
    def socket(self) -> socket.socket:
        """The same."""
        return self.getHandle()

    def discard(self) -> None:
        """The descriptor was closed by somebody."""
        self._attempt.cancel()

    def stopConnecting(self) -> None:
        """Give the attempt up."""
        self._connector.stopConnecting()

    loseConnection = abortConnection = stopConnecting

    def stopReading(self) -> None:
        """Be removed from the reactor, as all is."""
        self.watched = False

    def connectionLost(self, reason: Any) -> None:
        """Be removed: the attempt has failed."""
        if self._connector.transport is self:  # type: ignore[comparison-overlap]  # it may be, before there is a connection
            self._connector.connectionFailed(reason)

    def logPrefix(self) -> str:
        """Return by what name log lines are to call it."""
        return self.logstr


class _Connecting(Posing, StreamOwning, _Connector):
    """What all connectors have."""

    dialect = TWISTED

    def begin(self, attempt: Attempt) -> None:
        """Begin to connect."""
        pending: Any = Pending(self, attempt)
        self.transport = pending
        super().begin(attempt)

    def _end_attempt(self) -> None:
        if isinstance(self.transport, Pending):
            take_back(self.transport)
            self.transport = None
        super()._end_attempt()

    def logPrefix(self) -> str:
        """Return by what name log lines are to call the attempt."""
        return TWISTED.log_prefix(self.factory)


@implementer(IConnector)
class TCPConnector(_Connecting, Connector):
    """A TCP connection to be made."""

    poses_as = tcp.Connector
    streams = TCPClient

    def __init__(self, host: Any, port: Any, factory: Any, timeout: float | None, *args: Any) -> None:
        if timeout == float("inf"):
            timeout = None  # both have no limit
        try:
            super().__init__(as_text(host), port, factory, timeout, *args)
        except ServiceNameUnknownError:
            problem = f"service/proto not found ({port!r})"
            raise TWISTED.error.ServiceNameUnknownError(string=problem) from None

    def unusable(self, host: str, problem: Exception) -> Exception:
        """Return the error of Python's own sockets for an address that cannot be one, which programs may know."""
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            if family == socket.AF_INET6:
                socket.getaddrinfo(host, self.port, family, 0, 0, socket.AI_NUMERICHOST)
            with socket.socket(family) as probe:
                probe.setblocking(False)
                probe.connect_ex((host, self.port))
        except (OSError, OverflowError, TypeError, ValueError) as natural:
            return natural
        return super().unusable(host, problem)


@implementer(IConnector)
class UNIXConnector(_Connecting, _UNIXConnector):
    """A connection to be made to a path."""

    poses_as = unix.Connector
    streams = UNIXClient
