"""``torsion chat``: a server for talk by lines."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.draining import DrainingFactory
from torsion.internet.interfaces import IPushProducer
from torsion.protocols.basic import LineReceiver
from torsion.tap.serving import Server, ServerOptions

if TYPE_CHECKING:
    from torsion.internet.interfaces import IAddress
    from torsion.python.failure import Failure

__all__ = ["ChatFactory", "Chatter", "Options", "Outlet", "makeService"]

LONGEST_LINE = 1024
"""How many bytes a line may have; whoever sends a longer one does not talk, and is disconnected."""

LONGEST_NAME = 20
"""How many letters a name may have, so that it fits a line with what its bearer says."""

_HELP = "/nick NAME changes your name, /who tells who is here, /quit leaves"


def _printable(line: bytes) -> str:
    """Return *line* as text without anything that could play tricks on a terminal."""
    return "".join(letter for letter in line.decode("utf-8", "replace") if letter.isprintable())


@implementer(IPushProducer)
class Outlet:
    """The lines that go to one connection, as many as its peer cares to read."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._choked = False
        self._missed = 0
        transport.registerProducer(self, True)

    def write(self, text: str) -> None:
        """Send a line, or drop it if the peer does not read."""
        if self._choked:
            self._missed += 1
        else:
            self._transport.write(text.encode() + b"\n")

    def finish(self) -> None:
        """Close the connection once all is sent."""
        self._transport.unregisterProducer()  # which would be waited for
        self._transport.loseConnection()

    def pauseProducing(self) -> None:
        """Drop lines from now on: keeping them for one who does not read would take all memory."""
        self._choked = True

    def resumeProducing(self) -> None:
        """Send lines again, the first of which tells how many were dropped."""
        self._choked = False
        missed, self._missed = self._missed, 0
        if missed:
            self.write(f"* you were too slow for {missed} lines")

    def stopProducing(self) -> None:
        """Do nothing: the protocol is told that the connection is lost."""


class Chatter(LineReceiver):
    """One who talks."""

    factory: ChatFactory
    delimiter = b"\n"
    MAX_LENGTH = LONGEST_LINE

    def __init__(self, name: str) -> None:
        self.name = name

    def connectionMade(self) -> None:
        """Come in."""
        self._outlet = Outlet(self.transport)
        self.say(f"* you are {self.name}; {_HELP}")
        self.factory.tell(f"* {self.name} has come")
        self.factory.opened(self)

    def say(self, text: str) -> None:
        """Show a line to this one."""
        self._outlet.write(text)

    def finish(self) -> None:
        """Leave, once all is sent."""
        self._outlet.finish()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Be gone."""
        self.factory.closed(self)
        self.factory.tell(f"* {self.name} has gone")

    def lineReceived(self, line: bytes) -> None:
        """Do as told, or talk."""
        text = _printable(line).strip()
        if text.startswith("/"):
            command, _, argument = text.partition(" ")
            self._command(command, argument.strip())
        elif text:
            self.factory.tell(f"<{self.name}> {text}", but=self)

    def _command(self, command: str, argument: str) -> None:
        if command == "/nick":
            self._rename(argument)
        elif command == "/who":
            self.say(f"* here are {', '.join(sorted(one.name for one in self.factory.connections))}")
        elif command == "/quit":
            self.finish()
        else:
            self.say(f"* there is no {command}; {_HELP}")

    def _rename(self, name: str) -> None:
        if not name or len(name) > LONGEST_NAME or not all(letter.isalnum() or letter in "-_" for letter in name):
            self.say(f"* a name has up to {LONGEST_NAME} letters, digits, - and _")
        elif any(one.name == name for one in self.factory.connections):
            self.say(f"* {name} is here already")
        else:
            old, self.name = self.name, name
            self.factory.tell(f"* {old} is now {name}")

    def lineLengthExceeded(self, line: bytes) -> None:
        """Send away one who does not send lines."""
        self.say(f"* a line has up to {LONGEST_LINE} bytes")
        self.finish()


class ChatFactory(DrainingFactory):
    """The room where they talk."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(1)

    def buildProtocol(self, addr: IAddress | None) -> Chatter:
        """Make somebody with a name that nobody has."""
        taken = {one.name for one in self.connections}
        name = next(name for number in self._numbers if (name := f"guest{number}") not in taken)
        protocol = Chatter(name)
        protocol.factory = self
        return protocol

    def tell(self, text: str, but: Chatter | None = None) -> None:
        """Show a line to all, but for one of them."""
        for one in list(self.connections):
            if one is not but:
                one.say(text)


class Options(ServerOptions):
    """Where to listen."""

    longdesc = "A server to let everyone who connects talk to everyone else, by lines. SIGINT and SIGTERM end it."


def makeService(options: Options) -> Server:
    """Make the service that *options* ask for."""
    return Server("chat", options["listen"], ChatFactory(), options["drain"])
