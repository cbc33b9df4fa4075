"""A child process as a place to connect to: its standard input and output are the connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import fail, succeed
from torsion.internet.error import ConnectionDone, ConnectionLost, NoProtocol, ProcessDone
from torsion.internet.interfaces import (
    IAddress,
    IConsumer,
    IHalfCloseableProtocol,
    IPushProducer,
    IStreamClientEndpoint,
    ITransport,
)
from torsion.internet.protocol import ProcessProtocol
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IProcessTransport, IProtocolFactory

__all__ = ["ProcessAddress", "ProcessEndpoint", "StandardErrorBehavior"]

_log = Logger("torsion.internet.endpoints")


class StandardErrorBehavior(Enum):
    """What :class:`ProcessEndpoint` does with what a child writes to its standard error."""

    LOG = "log"
    """Tell the log."""
    DROP = "drop"
    """Throw it away."""


@implementer(IAddress)
class ProcessAddress:
    """Where a connection leads that leads to a child process."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProcessAddress)

    def __hash__(self) -> int:
        return hash(ProcessAddress)

    def __repr__(self) -> str:
        return "ProcessAddress()"


@implementer(IStreamClientEndpoint)
class ProcessEndpoint:
    """A program to start and to talk to."""

    def __init__(
        self,
        reactor: Any,
        executable: str | bytes,
        args: Sequence[str | bytes] = (),
        env: Mapping[Any, Any] | None = {},
        path: str | bytes | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: bool | int | tuple[Any, ...] = 0,
        childFDs: Mapping[int, int | str] | None = None,
        errFlag: StandardErrorBehavior = StandardErrorBehavior.LOG,
    ) -> None:
        """Describe a program; all but the last are as ``IReactorProcess.spawnProcess`` takes them.

        :param reactor: provides ``IReactorProcess``.
        :param executable: the path of the program.
        :param args: its arguments, of which the first is by custom its name.
        :param env: its environment; None for this process' own.
        :param path: the folder in which it runs.
        :param uid: the user as whom it runs.
        :param gid: the group as which it runs.
        :param usePTY: whether it gets a pseudo-terminal.
        :param childFDs: its descriptors.
        :param errFlag: what to do with what it writes to its standard error.
        """
        self._reactor = reactor
        self._executable = executable
        self._args = args
        self._env = env
        self._path = path
        self._uid = uid
        self._gid = gid
        self._usePTY = usePTY
        self._childFDs = childFDs
        self._errFlag = errFlag

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._executable!r}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """Start the program, for a protocol that *protocolFactory* makes.

        What the protocol writes goes to the program's standard input; what comes from its standard output is received.
        The connection is lost when the program has ended and its output was read: in order if its status is 0.

        :returns: a Deferred that fires with the protocol, connected; or fails with what the factory or ``spawnProcess``
            raised, or with :class:`torsion.internet.error.NoProtocol` if the factory made none.
        """
        try:
            protocol = protocolFactory.buildProtocol(ProcessAddress())
            if protocol is None:
                raise NoProtocol(f"{protocolFactory!r} made no protocol for {self!r}")
            child = _Child(protocol, self._executable, self._errFlag)
            self._reactor.spawnProcess(
                child,
                self._executable,
                self._args,
                self._env,
                self._path,
                self._uid,
                self._gid,
                self._usePTY,
                self._childFDs,
            )
        except Exception:  # noqa: BLE001 - whatever it is, it is what the attempt came to
            return fail(Failure())
        return succeed(protocol)


class _Child(ProcessProtocol):
    """Makes a connection of a process: standard output is what it receives, the process' end is its loss."""

    def __init__(self, protocol: Any, executable: str | bytes, errFlag: StandardErrorBehavior) -> None:
        self.protocol = protocol
        self.executable = executable
        self.errFlag = errFlag

    def makeConnection(self, process: IProcessTransport) -> None:
        """Hand the connection over."""
        self.transport = _Connection(process)
        self.protocol.makeConnection(self.transport)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Pass standard output on; standard error goes to the log, if anywhere."""
        if childFD == 1:
            self.protocol.dataReceived(data)
        elif childFD == 2 and self.errFlag is StandardErrorBehavior.LOG:
            _log.warn(
                "Process {executable!r} wrote stderr unhandled by {protocol}: {data}",
                executable=self.executable,
                protocol=self.protocol,
                data=data,
            )

    def childConnectionLost(self, childFD: int) -> None:
        """Tell a protocol that cares for halves that one of them is closed."""
        protocol = IHalfCloseableProtocol(self.protocol, None)
        if protocol is not None and childFD in (0, 1):
            (protocol.readConnectionLost if childFD else protocol.writeConnectionLost)()

    def processEnded(self, reason: Failure) -> None:
        """Tell that the connection is lost: in order, if the process ended so."""
        error = reason.value
        in_order = isinstance(error, ProcessDone) and not error.exitCode
        self.protocol.connectionLost(
            Failure(ConnectionDone()) if in_order else Failure(ConnectionLost(f"the process ended: {error}"))
        )


@implementer(ITransport, IConsumer, IPushProducer)
class _Connection:
    """The transport of a connection to a process; what else a process can do is not part of it."""

    def __init__(self, process: Any) -> None:
        self._process = process

    def write(self, data: bytes) -> None:
        """Write to standard input."""
        self._process.writeToChild(0, data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Write to standard input."""
        self._process.writeToChild(0, b"".join(data))

    def loseConnection(self) -> None:
        """Close standard input, output and error once everything is written."""
        self._process.loseConnection()

    def loseWriteConnection(self) -> None:
        """Close standard input once everything is written."""
        self._process.closeStdin()

    def abortConnection(self) -> None:
        """Kill the process, and close everything."""
        from torsion.internet.error import ProcessExitedAlready

        try:
            self._process.signalProcess("KILL")
        except ProcessExitedAlready:
            pass
        self._process.loseConnection()

    def getPeer(self) -> IAddress:
        """Return where the process is: what the reactor says, or else a :class:`ProcessAddress`."""
        return _told(self._process.getPeer)

    def getHost(self) -> IAddress:
        """Return where this end is: what the reactor says, or else a :class:`ProcessAddress`."""
        return _told(self._process.getHost)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Pass this on."""
        self._process.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Pass this on."""
        self._process.unregisterProducer()

    def pauseProducing(self) -> None:
        """Pass this on."""
        self._process.pauseProducing()

    def resumeProducing(self) -> None:
        """Pass this on."""
        self._process.resumeProducing()

    def stopProducing(self) -> None:
        """Pass this on."""
        self._process.stopProducing()


def _told(ask: Callable[[], IAddress]) -> IAddress:
    try:
        return ask()
    except NotImplementedError:  # most reactors have nothing to say
        return ProcessAddress()
