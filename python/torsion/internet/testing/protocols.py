"""Protocols that remember what happened to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.interfaces.time import IReactorTime
from torsion.internet.protocol import Protocol, connectionDone
from torsion.internet.task import LoopingCall
from torsion.python.failure import Failure


class AccumulatingProtocol(Protocol):
    """Keeps all that it receives.

    If its factory has a Deferred as ``protocolConnectionMade``, it fires with the protocol, once.

    :ivar made: whether ``connectionMade`` was called.
    :ivar closed: whether ``connectionLost`` was called.
    :ivar closedReason: what it was given.
    :ivar closedDeferred: if a test sets it to a Deferred, that fires with None when the connection is lost.
    :ivar data: all that was received.
    """

    made: bool | int = False
    closed: bool | int = False
    closedReason: Failure | None = None
    closedDeferred: Deferred[None] | None = None
    data: bytes = b""
    factory: Any = None

    def connectionMade(self) -> None:
        """Set :attr:`made`, and fire the factory's ``protocolConnectionMade``."""
        self.made = True
        waiting = getattr(self.factory, "protocolConnectionMade", None)
        if waiting is not None:
            self.factory.protocolConnectionMade = None
            waiting.callback(self)

    def dataReceived(self, data: bytes) -> None:
        """Add to :attr:`data`."""
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Set :attr:`closed` and :attr:`closedReason`, and fire :attr:`closedDeferred`."""
        self.closed = True
        self.closedReason = reason
        waiting, self.closedDeferred = self.closedDeferred, None
        if waiting is not None:
            waiting.callback(None)


class LineSendingProtocol(Protocol):
    """Sends some lines, and keeps the lines that come back. Lines end with CR LF.

    :param lines: what to send, without line ends.
    :param start: send when the connection stands; otherwise when the first line comes in.
    :ivar response: the lines that came in, without line ends.
    :ivar lostConn: whether the connection was lost.
    """

    lostConn: bool = False
    delimiter: bytes = b"\r\n"

    def __init__(self, lines: Iterable[bytes], start: bool = True) -> None:
        self.lines = list(lines)
        self.response: list[bytes] = []
        self.start = start
        self._rest = b""

    def connectionMade(self) -> None:
        """Send the lines, if this end starts."""
        if self.start:
            self._sendAll()

    def dataReceived(self, data: bytes) -> None:
        """Cut what came in into lines."""
        *lines, self._rest = (self._rest + data).split(self.delimiter)
        for line in lines:
            self.lineReceived(line)

    def lineReceived(self, line: bytes) -> None:
        """Keep a line; the first one makes the end that waits send its own."""
        if not self.start and not self.response:
            self._sendAll()
        self.response.append(line)

    def sendLine(self, line: bytes) -> None:
        """Send a line, and its end."""
        self.transport.write(line + self.delimiter)

    def _sendAll(self) -> None:
        for line in self.lines:
            self.sendLine(line)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Set :attr:`lostConn`."""
        self.lostConn = True


def waitUntilAllDisconnected(reactor: IReactorTime, protocols: Sequence[Any]) -> Deferred[None]:
    """Wait until the transports of some protocols are no longer connected.

    Prefer to wait for ``connectionLost``: this looks again and again, every hundredth of a second.

    :param reactor: where to wait.
    :param protocols: what to look at.
    :returns: a Deferred that fires with None.
    """

    def look() -> None:
        if not any(protocol.transport.connected for protocol in protocols):
            looking.stop()

    looking = LoopingCall(look)
    looking.clock = reactor
    return looking.start(0.01, now=True).addCallback(lambda _: None)
