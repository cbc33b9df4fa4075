"""A child process with pipes."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.interfaces import IConsumer, IProcessTransport
from torsion.internet.transports.process.ended import ProcessBase
from torsion.internet.transports.process.pipes import Pipe
from torsion.internet.transports.process.spawn import start

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torsion.internet.transports.owner import Home

__all__ = ["Process"]

_DEFAULT: Mapping[int, int | str] = {0: "w", 1: "r", 2: "r"}


@implementer(IProcessTransport, IConsumer)
class Process(ProcessBase):
    """A child process, which we write to and read from by pipes.

    :ivar pipes: our ends that are still open, by the child's descriptors.
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
        childFDs: Mapping[int, int | str] | None = None,
    ) -> None:
        """Start it.  For the arguments see ``IReactorProcess.spawnProcess``.

        :raises OSError: if the program or *path* is not there or may not be used, or descriptors or processes have run out.
        """
        super().__init__(reactor, proto)
        self.pipes: dict[int, Pipe] = {}
        with ExitStack() as ours, ExitStack() as theirs:  # closed if we fail, and in any case
            places: dict[int, int] = {}
            ends: dict[int, tuple[int, bool]] = {}
            for childFD, target in sorted((_DEFAULT if childFDs is None else childFDs).items()):
                if isinstance(target, int) and not isinstance(target, bool):
                    places[childFD] = target
                    continue
                if target not in ("r", "w"):
                    raise ValueError(
                        f"descriptor {childFD} of a child is 'r', 'w' or one of our descriptors, not {target!r}"
                    )
                reading = target == "r"
                reader, writer = os.pipe()
                our_end, places[childFD] = (reader, writer) if reading else (writer, reader)
                theirs.callback(os.close, places[childFD])
                ours.callback(os.close, our_end)
                ends[childFD] = (our_end, reading)
            started = start(executable, args, environment, path, uid, gid, places)
            ours.pop_all()
        for childFD, (descriptor, reading) in ends.items():
            self.pipes[childFD] = Pipe(self, childFD, descriptor, reading=reading)
        self._await(started)
        self._tell("makeConnection", self)

    # --- pipes -------------------------------------------------------------------------------------------------------

    def childDataReceived(self, name: int, data: bytes) -> None:
        """The child wrote *data* to its descriptor *name*."""
        if (proto := self.proto) is not None:
            proto.childDataReceived(name, data)

    def childConnectionLost(self, childFD: int, reason: object) -> None:
        """The pipe for *childFD* is closed."""
        del self.pipes[childFD]
        self._tell("childConnectionLost", childFD)
        self.maybeCallProcessEnded()

    def closeChildFD(self, childFD: int) -> None:
        """Close our end of a pipe, once all that was written is sent; does nothing if it is closed."""
        if (pipe := self.pipes.get(childFD)) is not None:
            pipe.stream.loseConnection()

    def closeStdin(self) -> None:
        """Let the child see the end of its input, once all that was written is sent."""
        self.closeChildFD(0)

    def closeStdout(self) -> None:
        """Read no more of the child's output; the child gets an error, or SIGPIPE, when it writes there."""
        self.closeChildFD(1)

    def closeStderr(self) -> None:
        """Read no more of the child's error output; the child gets an error, or SIGPIPE, when it writes there."""
        self.closeChildFD(2)

    def loseConnection(self) -> None:
        """Close standard input, output and error.  The child lives on until it ends by itself."""
        for childFD in (0, 2, 1):
            self.closeChildFD(childFD)

    def writeToChild(self, childFD: int, data: bytes) -> None:
        """Send *data* to the child's descriptor *childFD*.

        :raises KeyError: if there is no pipe to it.
        """
        self.pipes[childFD].stream.write(data)

    # --- standard input ----------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send *data* to the child's input; ignored once that is closed."""
        if 0 in self.pipes:
            self.pipes[0].stream.write(data)

    def writeSequence(self, seq: Iterable[bytes]) -> None:
        """Send each of *seq* to the child's input; ignored once that is closed."""
        if 0 in self.pipes:
            self.pipes[0].stream.writeSequence(seq)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* be told when to write to the child's input.

        :raises RuntimeError: while another one is registered.
        """
        if 0 in self.pipes:
            self.pipes[0].stream.registerProducer(producer, streaming)
        else:
            producer.stopProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        if 0 in self.pipes:
            self.pipes[0].stream.unregisterProducer()

    # --- a producer of what the child writes -------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """Read nothing of what the child writes: when its pipes are full, it waits."""
        for pipe in self.pipes.values():
            pipe.stream.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        for pipe in self.pipes.values():
            pipe.stream.resumeProducing()

    def stopProducing(self) -> None:
        """The same as :meth:`loseConnection`."""
        self.loseConnection()

    def _has_pipes(self) -> bool:
        return bool(self.pipes)
