"""Small writes become one record: TLS that encrypts what a protocol writes in one turn of the reactor together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.tls.memory import TLSMemoryBIOProtocol, is_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torsion.internet.interfaces.time import IDelayedCall, IReactorTime
    from torsion.internet.tls.memory import Buffer
    from torsion.python.failure import Failure

__all__ = ["BufferingTLSTransport", "SmallWrites"]

_Bytes = bytes  # Twisted calls a parameter so


class SmallWrites:
    """Collects small pieces of data, and passes them on together: in the reactor's next turn, or once they are many."""

    MAX_BUFFER_SIZE = 64_000
    """How many bytes are collected at most.

    A record of TLS has some 16 kB: from a few records on, there is nothing to be gained by waiting.
    """

    def __init__(self, write: Callable[[bytes], object], clock: IReactorTime) -> None:
        """Collect data.

        :param write: called with what has been collected.
        :param clock: tells when the next turn comes.
        """
        self._write = write
        self._clock = clock
        self._pieces: list[bytes] = []
        self._size = 0
        self._call: IDelayedCall | None = None

    def write(self, data: bytes) -> None:
        """Collect *data*."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self.MAX_BUFFER_SIZE:
            self.flush()
        elif self._call is None:
            self._call = self._clock.callLater(0, self._turn)

    def _turn(self) -> None:
        self._call = None
        self.flush()

    def flush(self) -> None:
        """Pass on what has been collected."""
        if self._pieces:
            pieces, self._pieces, self._size = self._pieces, [], 0
            self._write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def discard(self) -> None:
        """Forget what has been collected, let the clock rest, and pass nothing on any more."""
        self._write = _nowhere  # also, this lets go of whose method it was
        self._pieces.clear()
        self._size = 0
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None


def _nowhere(_data: bytes) -> None:
    """Take data, and do nothing with it."""


class BufferingTLSTransport(TLSMemoryBIOProtocol):
    """The TLS layer of one connection, which encrypts what is written in one turn of the reactor together."""

    def __init__(self, factory: Any, wrappedProtocol: Any, _connectWrapped: bool = True) -> None:
        """Stand between a transport and a protocol."""
        super().__init__(factory, wrappedProtocol, _connectWrapped)
        self._small = SmallWrites(self._write, factory._clock)

    def write(self, bytes: Buffer) -> None:
        """Encrypt and send bytes, soon. Ignored once the connection is closing, unless a producer is registered.

        :raises TypeError: if they are not bytes.
        """
        if not is_data(bytes):
            raise TypeError(f"Must write bytes to a TLS transport, not {type(bytes).__name__}: encode text first")
        if bytes and not (
            self._lostTLSConnection or self._halfClosing or (self.disconnecting and self._producer is None)
        ):
            # What is no bytes may be changed before it is sent.
            self._small.write(bytes if type(bytes) is _Bytes else memoryview(bytes).tobytes())

    def writeSequence(self, sequence: Iterable[Buffer]) -> None:
        """Encrypt and send several pieces of bytes, in their order, soon."""
        self.write(b"".join(sequence))

    def _flushSmallWrites(self) -> None:
        self._small.flush()

    def unregisterProducer(self) -> None:
        """Forget the producer, which has nothing more to write. A closing that waited for it goes on."""
        self._small.flush()
        super().unregisterProducer()

    def abortConnection(self) -> None:
        """Close the connection at once, without sending what is still to be sent."""
        self._small.discard()
        super().abortConnection()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # nobody calls it without
        """The transport is gone: tell the wrapped protocol."""
        if not self._aborted and not self._lostTLSConnection:
            self._small.flush()
        self._small.discard()
        super().connectionLost(reason)
