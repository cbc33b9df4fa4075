"""The sub-command ``torsion greet``: greets whoever connects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application import strports
from torsion.internet.protocol import Factory, Protocol
from torsion.python import usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.application.internet import StreamServerEndpointService


class Greeter(Protocol):
    """Greets, and closes."""

    transport: Any

    def connectionMade(self) -> None:
        """Somebody has come."""
        self.transport.write(b"hello\r\n")
        self.transport.loseConnection()


class Options(usage.Options):
    """What can be said after ``torsion greet``."""

    optParameters: ClassVar[Sequence[Sequence[str]]] = [["listen", "l", "tcp:7000", "Where to listen."]]


def makeService(options: Options) -> StreamServerEndpointService:
    """Make the service."""
    return strports.service(options["listen"], Factory.forProtocol(Greeter))
