"""A child process on a pseudo-terminal."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.interfaces import IConsumer, IProcessTransport
from torsion.internet.transports.pipe import PipeStream
from torsion.internet.transports.process.ended import ProcessBase
from torsion.internet.transports.process.spawn import start
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torsion._native import Stream
    from torsion.internet.transports.owner import Home

__all__ = ["PTYProcess"]

_log = Logger("torsion.internet.transports.process")


@implementer(IProcessTransport, IConsumer)
class PTYProcess(ProcessBase):
    """A child process whose input, output and error are one pseudo-terminal; what it writes comes as that of descriptor 1.

    Closing the terminal sends SIGHUP to those that it is the controlling terminal of.
    """

    def __init__(
        self,
        reactor: Home,
        executable: str | bytes,
        args: Sequence[str | bytes],
        environment: Mapping[bytes | str, bytes | str] | None,
        path: str | bytes | None,
        proto: Any,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: bool | tuple[int, int, str | bytes] = True,
    ) -> None:
        """Start it.  For the arguments see ``IReactorProcess.spawnProcess``.

        :raises OSError: if the program or *path* is not there or may not be used, or descriptors, terminals or processes
            have run out.
        """
        super().__init__(reactor, proto)
        with ExitStack() as ours, ExitStack() as theirs:
            if isinstance(usePTY, tuple):
                master, slave, self.terminal = usePTY
            else:
                master, slave = os.openpty()
                ours.callback(os.close, master)
                theirs.callback(os.close, slave)
                self.terminal = os.ttyname(slave)
            if uid is not None:
                os.chown(slave, uid, -1 if gid is None else gid)
            places = dict.fromkeys((0, 1, 2), slave)
            started = start(executable, args, environment, path, uid, gid, places, terminal=0)
            ours.pop_all()
        self.stream: Stream | None = reactor.engine.open_pipe(master, True, True, self, PipeStream)
        self.stream.protocol = self
        self._await(started)
        self._tell("makeConnection", self)

    # --- what the engine calls ---------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """The child wrote."""
        if self.proto is not None:
            self.proto.childDataReceived(1, data)

    def eof(self, stream: Stream, /) -> bool:
        """The other end of the terminal is closed by all."""
        return False

    def write_closed(self, stream: Stream, /) -> None:
        """Half of a terminal cannot be closed alone."""

    def lost(self, stream: Stream, code: int, errno: int, reason: object, /) -> None:
        """The terminal is closed."""
        stream.protocol = None
        self.stream = None
        self.maybeCallProcessEnded()

    def raised(self, source: object, exception: BaseException, /) -> Failure:
        """A hook of the process's protocol raised: the terminal is closed on account of it."""
        failure = Failure(exception, type(exception), exception.__traceback__)
        _log.failure("Unhandled error in {source!r}; the terminal is closed", failure, source=self.proto)
        return failure

    # --- the terminal ------------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Return the descriptor of our end of the terminal, or -1 once it is closed."""
        return -1 if self.stream is None else self.stream.fileno()

    def write(self, data: bytes) -> None:
        """Type *data* at the terminal; ignored once it is closed."""
        if self.stream is not None:
            self.stream.write(data)

    def writeSequence(self, seq: Iterable[bytes]) -> None:
        """Type each of *seq* at the terminal; ignored once it is closed."""
        if self.stream is not None:
            self.stream.writeSequence(seq)

    def writeToChild(self, childFD: int, data: bytes) -> None:
        """As :meth:`write`.

        :raises KeyError: if *childFD* is not 0: that is the only one that is read from.
        """
        if childFD != 0:
            raise KeyError(childFD)
        self.write(data)

    def loseConnection(self) -> None:
        """Close the terminal, once all that was written is sent."""
        if self.stream is not None:
            self.stream.loseConnection()

    def closeStdin(self) -> None:
        """Does nothing: a terminal is closed as a whole, by :meth:`loseConnection`."""

    def closeStdout(self) -> None:
        """Does nothing: a terminal is closed as a whole, by :meth:`loseConnection`."""

    def closeStderr(self) -> None:
        """Does nothing: a terminal is closed as a whole, by :meth:`loseConnection`."""

    def closeChildFD(self, descriptor: int) -> None:
        """Does nothing: a terminal is closed as a whole, by :meth:`loseConnection`.

        :raises NotImplementedError: for another descriptor than 0, 1 and 2.
        """
        if descriptor not in (0, 1, 2):
            raise NotImplementedError(f"a child on a terminal has no pipe to its descriptor {descriptor}")

    # --- producers ---------------------------------------------------------------------------------------------------

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* be told when to write.

        :raises RuntimeError: while another one is registered.
        """
        if self.stream is not None:
            self.stream.registerProducer(producer, streaming)
        else:
            producer.stopProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        if self.stream is not None:
            self.stream.unregisterProducer()

    def pauseProducing(self) -> None:
        """Read nothing of what the child writes."""
        if self.stream is not None:
            self.stream.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        if self.stream is not None:
            self.stream.resumeProducing()

    def stopProducing(self) -> None:
        """The same as :meth:`loseConnection`."""
        self.loseConnection()

    def _has_pipes(self) -> bool:
        return self.stream is not None
