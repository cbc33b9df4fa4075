"""A program for each connection, with the connection as its input and output; and the small services that inetd has itself.

:class:`InetdFactory` does it for connections of any kind, TLS included, and hands their bytes on.  ``torsion inetd`` gives a program the
socket itself, as inetd does: see ``superserver``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet._current import current_reactor
from torsion.internet.error import ProcessExitedAlready
from torsion.internet.interfaces import IHalfCloseableProtocol
from torsion.internet.protocol import ProcessProtocol, Protocol, ServerFactory
from torsion.logger import Logger
from torsion.protocols.wire import Chargen, Daytime, Discard, Echo, Time
from torsion.runner.users import ids_of

if TYPE_CHECKING:
    from torsion.python.failure import Failure
    from torsion.runner.inetdconf import InetdService

__all__ = ["InetdFactory", "InetdProtocol", "internalProtocols"]

internalProtocols: dict[str, type[Protocol]] = {
    "echo": Echo,
    "chargen": Chargen,
    "discard": Discard,
    "daytime": Daytime,
    "time": Time,
}
"""The services that need no program, by name."""

_log = Logger("torsion.runner.inetd")


class _Program(ProcessProtocol):
    """A program that serves a connection."""

    def __init__(self, connection: InetdProtocol) -> None:
        self.connection = connection

    def outReceived(self, data: bytes) -> None:
        self.connection.transport.write(data)

    def errReceived(self, data: bytes) -> None:
        self.connection.transport.write(data)

    def processEnded(self, reason: Failure) -> None:
        self.connection.programEnded(reason)


@implementer(IHalfCloseableProtocol)
class InetdProtocol(Protocol):
    """Starts a program when it is connected: what comes in is its input, what it prints goes out."""

    factory: InetdFactory
    transport: Any
    program: Any = None

    def connectionMade(self) -> None:
        """Start the program; one that cannot be started is logged, and the connection closed."""
        service = self.factory.service
        try:
            uid, gid = ids_of(service.user, service.group)
            descriptors: dict[int, Any] = {0: "w", 1: "r", 2: "r"}
            error = None
            if self.factory.stderrFile is not None:
                error = open(self.factory.stderrFile, "ab")  # noqa: PTH123, SIM115 - it is whatever names a file; closed below
                descriptors[2] = error.fileno()
            try:
                self.program = current_reactor().spawnProcess(
                    _Program(self), service.program, service.programArgs or [service.program], None, None, uid, gid,
                    childFDs=descriptors,
                )  # fmt: skip
            finally:
                if error is not None:
                    error.close()
        except (OSError, ValueError, LookupError):
            _log.failure("{service!r} cannot be served", service=service)
            self.transport.abortConnection()
            return
        # Each waits for the other: what neither side reads is not kept here.
        self.transport.registerProducer(_Reading(self.program), True)
        self.program.registerProducer(self.transport, True)

    def dataReceived(self, data: bytes) -> None:
        """Give *data* to the program."""
        self.program.writeToChild(0, data)

    def readConnectionLost(self) -> None:
        """Tell the program that no more comes; it may go on to answer."""
        self._end_input()

    def writeConnectionLost(self) -> None:
        """Do nothing: it is the program's end that ends the connection."""

    def connectionLost(self, reason: Any = None) -> None:
        """Tell the program that nobody is there any more: by the end of its input, and by SIGHUP."""
        if self.program is not None:
            self._end_input()
            try:
                self.program.signalProcess("HUP")
            except ProcessExitedAlready:
                pass

    def _end_input(self) -> None:
        self.program.unregisterProducer()
        self.program.closeChildFD(0)

    def programEnded(self, reason: Failure) -> None:
        """Close the connection: the program has ended."""
        self.program = None
        self.transport.unregisterProducer()
        self.transport.loseConnection()


class _Reading:
    """The output of a program as a producer."""

    def __init__(self, program: Any) -> None:
        self._program = program

    def pauseProducing(self) -> None:
        self._program.pauseProducing()

    def resumeProducing(self) -> None:
        self._program.resumeProducing()

    def stopProducing(self) -> None:
        """Do nothing: its end is told otherwise."""


class InetdFactory(ServerFactory):
    """Makes an :class:`InetdProtocol` for each connection.

    :ivar service: what to start.
    """

    protocol = InetdProtocol

    stderrFile: str | None = None
    """The file to which programs' errors are added; None to send them to the peer, too, as inetd does."""

    def __init__(self, service: InetdService) -> None:
        """Serve *service*."""
        self.service = service
