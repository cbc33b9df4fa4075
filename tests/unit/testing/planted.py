"""Five small protocols, each with a bug of a kind that tests with whole messages on a quick network never meet, and each with a
twin that has it not."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from torsion.internet.interfaces import IHalfCloseableProtocol
from torsion.internet.protocol import ClientFactory, DatagramProtocol, Factory, Protocol, ReconnectingClientFactory

PORT = 7000


# --- a half-close that is lost ---------------------------------------------------------------------------------------


class Works(Protocol):
    """Answers each request after a moment's work.  A client that says that it is done is hung up on: its answers are lost."""

    def dataReceived(self, data: bytes) -> None:
        for _ in range(data.count(b"?")):
            self.factory.reactor.callLater(0.05, self.transport.write, b"!")


@implementer(IHalfCloseableProtocol)
class WorksToTheEnd(Works):
    """Goes on writing when the client is done, and closes behind that."""

    def readConnectionLost(self) -> None:
        self.factory.reactor.callLater(0.1, self.transport.loseConnection)

    def writeConnectionLost(self) -> None:
        pass


@implementer(IHalfCloseableProtocol)
class Asks(Protocol):
    """Asks three times, says that it is done, and counts the answers."""

    answers = 0

    def connectionMade(self) -> None:
        for number in range(3):
            self.factory.reactor.callLater(number, self.transport.write, b"?")
        self.factory.reactor.callLater(2.2, self.transport.loseWriteConnection)

    def dataReceived(self, data: bytes) -> None:
        self.answers += len(data)

    def readConnectionLost(self) -> None:
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        pass


# --- a bug at the boundary of chunks ---------------------------------------------------------------------------------


class Commands(Protocol):
    """Answers each line, whether it ends with CR, LF or CR LF, with its length; what comes in two pieces between these two is one
    line too many."""

    rest = b""

    def dataReceived(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self.answer(lines)

    def answer(self, lines: list[bytes]) -> None:
        for line in lines:
            self.transport.write(b"%d " % len(line))
        if len(self.rest) > 1000:
            self.transport.loseConnection()


class WholeCommands(Commands):
    """Keeps a CR at the end until it is known what follows."""

    def dataReceived(self, data: bytes) -> None:
        data = self.rest + data
        kept = data[len(data.removesuffix(b"\r")) :]
        data = data.removesuffix(b"\r")
        *lines, rest = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self.rest = rest + kept
        self.answer(lines)


# --- a buffer without bounds -----------------------------------------------------------------------------------------


class Netstring(Protocol):
    """Collects ``5:hello,``, however long the other side says that it will be."""

    longest = 1 << 62

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.heard = 0

    def dataReceived(self, data: bytes) -> None:
        self.buffer += data
        while b":" in self.buffer[:20]:
            size, _, rest = bytes(self.buffer).partition(b":")
            if not size.isdigit() or int(size) > self.longest:
                self.transport.abortConnection()
                return
            if len(rest) <= int(size):
                return
            self.heard += 1
            self.buffer = bytearray(rest[int(size) + 1 :])
        if len(self.buffer) >= 20:
            self.transport.abortConnection()


class BoundedNetstring(Netstring):
    """Refuses what is longer than it has room for."""

    longest = 10_000


# --- a storm of connections ------------------------------------------------------------------------------------------


class Counting(Factory):
    noisy = False
    protocol = Protocol


class Eager(ClientFactory):
    """Connects again as soon as a connection is lost or refused."""

    noisy = False
    protocol = Protocol
    attempts = 0

    def startedConnecting(self, connector: Any) -> None:
        self.attempts += 1

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        connector.connect()

    clientConnectionFailed = clientConnectionLost


class Patient(ReconnectingClientFactory):
    """Waits longer each time."""

    noisy = False
    protocol = Protocol
    attempts = 0
    maxDelay = 10

    def startedConnecting(self, connector: Any) -> None:
        self.attempts += 1

    def buildProtocol(self, addr: Any) -> Any:
        self.resetDelay()
        return super().buildProtocol(addr)


# --- two leaders -----------------------------------------------------------------------------------------------------


class Elects(DatagramProtocol):
    """Whoever hears no leader for three seconds leads, and says so each second.  It never doubts it again."""

    noisy = False

    def __init__(self, host: Any, others: list[str]) -> None:
        self.host = host
        self.others = others
        self.leads = False
        self.heard_at = 0.0

    def startProtocol(self) -> None:
        self.patience = 3 + int(self.host.name[-1])  # so that not all of them wake up at once
        self.tick()

    def tick(self) -> None:
        now = self.host.reactor.seconds()
        if now - self.heard_at > self.patience:
            self.leads = True
        if self.leads:
            for other in self.others:
                self.transport.write(self.host.name.encode(), (other, PORT))
        self.host.reactor.callLater(1, self.tick)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.heard_at = self.host.reactor.seconds()


class Yields(Elects):
    """Of two leaders, the one whose name is greater steps back."""

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        super().datagramReceived(datagram, addr)
        if self.leads and datagram.decode() < self.host.name:
            self.leads = False
