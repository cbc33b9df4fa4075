"""Bodies of requests: kept in memory, in a temporary file, or streamed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from torsion.internet.defer import Deferred

if TYPE_CHECKING:
    from torsion.python.failure import Failure

__all__ = ["MOST_IN_MEMORY", "MOST_IN_STREAM", "BodyStream", "ContentFile", "newContent"]

MOST_IN_MEMORY = 100_000
"""Bodies of up to so many bytes are kept in memory, larger ones in a temporary file.  Forms and calls are below it, uploads are
not; a thousand clients at once cost 100 MB at most."""

MOST_IN_STREAM = 64 * 1024
"""How many bytes of a stream may wait for its reader before the client is not read from: as much as is read at once."""

WRITTEN_AT_ONCE = 64 * 1024
"""How many bytes are written to a temporary file at once, however small the parts in which a body comes: a call for each packet of
a slow network would cost more than its bytes."""

ContentFile: TypeAlias = IO[bytes]


class _Growing:
    """A body whose length is not known: it is in memory until it is too large, then in a temporary file."""

    def __init__(self) -> None:
        self._file: IO[bytes] = BytesIO()
        self._small = True

    def write(self, data: bytes) -> int:
        if self._small and self._file.tell() + len(data) > MOST_IN_MEMORY:
            self._to_disk()
        return self._file.write(data)

    def _to_disk(self) -> None:
        self._small = False
        memory, self._file = self._file, TemporaryFile(buffering=WRITTEN_AT_ONCE)  # noqa: SIM115 - the request closes it
        place = memory.tell()
        memory.seek(0)
        self._file.write(memory.read())
        self._file.seek(place)

    def fileno(self) -> int:
        """Return a descriptor: who asks for it wants a file."""
        if self._small:
            self._to_disk()
        return self._file.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._file)


def newContent(length: int | None) -> Any:
    """Return a file for a body.

    :param length: how many bytes it will have; None if that is not known.
    """
    if length is None:
        return _Growing()
    return BytesIO() if length < MOST_IN_MEMORY else TemporaryFile(buffering=WRITTEN_AT_ONCE)


class BodyStream:
    """The body of a request as it comes: iterate over it with ``async for``, or have it delivered to an ``IBodyReceiver``.

    Errors of the connection are raised by the iteration.

    :ivar trailers: the fields after the body, once it is complete: pairs of bytes.
    """

    def __init__(self, channel: Any) -> None:
        """Make the stream of what comes over a channel, or of what is there already."""
        self._channel = channel
        self._parts: deque[bytes] = deque()
        self._kept = 0
        self._over = False
        self._reason: Failure | None = None
        self._receiver: Any = None
        self._waiting: Deferred[None] | None = None
        self.trailers: Any = ()

    def deliverTo(self, receiver: Any) -> None:
        """Have all of the body delivered to *receiver*, an :class:`torsion.web.iweb.IBodyReceiver`, as it comes.

        The client is read from as fast as it sends; :meth:`pauseProducing` and :meth:`resumeProducing` hold it back.

        :raises RuntimeError: if it is delivered already.
        """
        if self._receiver is not None:
            raise RuntimeError("the body is delivered to another receiver already")
        self._receiver = receiver
        while self._parts:
            receiver.bodyDataReceived(self._parts.popleft())
        self._kept = 0
        self._tell_end()
        self.resumeProducing()

    def pauseProducing(self) -> None:
        """Read no more from the client for now."""
        if self._channel is not None and not self._over:
            self._channel.pauseBody()

    def resumeProducing(self) -> None:
        """Read from the client again."""
        if self._channel is not None and not self._over:
            self._channel.resumeBody()

    def stopProducing(self) -> None:
        """Close the connection: the rest of the body is not wanted."""
        if self._channel is not None and not self._over:
            self._channel.loseConnection()

    def _tell_end(self) -> None:
        if self._over and self._receiver is not None:
            if self._reason is None:
                self._receiver.bodyFinished(self.trailers)
            else:
                self._receiver.bodyFailed(self._reason)

    # --- called by the request ---------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take a part of the body."""
        if self._receiver is not None:
            self._receiver.bodyDataReceived(data)
            return
        if data:
            self._parts.append(data)
            self._kept += len(data)
        if self._kept > MOST_IN_STREAM:
            self.pauseProducing()
        self._wake()

    def finished(self, trailers: Any) -> None:
        """Learn that the body is complete."""
        self.trailers = trailers
        self._over = True
        self._tell_end()
        self._wake()

    def failed(self, reason: Failure) -> None:
        """Learn that no more of it will come.  Does nothing if it is complete."""
        if not self._over:
            self._over, self._reason = True, reason
            self._tell_end()
            self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    # --- async for ---------------------------------------------------------------------------------------------------

    def __aiter__(self) -> BodyStream:
        return self

    async def __anext__(self) -> bytes:
        while not self._parts:
            if self._over:
                if self._reason is not None:
                    self._reason.raiseException()
                raise StopAsyncIteration
            if self._waiting is not None:
                raise RuntimeError("the body is being iterated over already")
            self._waiting = Deferred(self._cancelled)
            self.resumeProducing()
            if self._waiting is not None:
                await self._waiting
        part = self._parts.popleft()
        self._kept -= len(part)
        if not self._parts:
            self.resumeProducing()
        return part

    def _cancelled(self, waiting: Deferred[None]) -> None:
        self._waiting = None
