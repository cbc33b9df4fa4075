"""Sends a file through a consumer, no faster than it takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

from zope.interface import implementer

from torsion.internet.defer import Deferred
from torsion.internet.interfaces import IPullProducer
from torsion.python.failure import Failure

__all__ = ["FileSender"]


@implementer(IPullProducer)
class FileSender:
    """Sends one file, chunk by chunk, whenever the consumer has room."""

    CHUNK_SIZE: int = 1 << 14
    """How many bytes are read at a time."""

    lastSent: bytes = b""
    """The last byte that was sent, as *transform* left it."""

    deferred: Deferred[bytes] | None = None
    """What :meth:`beginFileTransfer` returned, while the transfer goes on."""

    file: IO[bytes] | None = None
    consumer: Any = None
    transform: Callable[[bytes], bytes] | None = None

    def beginFileTransfer(
        self, file: IO[bytes], consumer: Any, transform: Callable[[bytes], bytes] | None = None
    ) -> Deferred[bytes]:
        """Send *file* from where it stands to its end.  It is not closed.

        :param file: open for reading bytes.
        :param consumer: an ``IConsumer``, a transport for instance, with no producer registered.
        :param transform: called with each chunk, returns what is sent in its place.
        :returns: fires with the last byte that was sent (nothing, if the file had none), or fails if reading or
            *transform* raised, or the consumer wants no more.
        """
        self.file = file
        self.consumer = consumer
        self.transform = transform
        deferred: Deferred[bytes] = Deferred()
        self.deferred = deferred
        consumer.registerProducer(self, False)
        return deferred

    def resumeProducing(self) -> None:
        """Send the next chunk, or find that there is none."""
        if self.file is None:
            return
        try:
            chunk = self.file.read(self.CHUNK_SIZE)
            sent = chunk if self.transform is None or not chunk else self.transform(chunk)
        except Exception:  # noqa: BLE001 - whatever the file or the user's function raises is the Deferred's business
            self._end().errback(Failure())
            return
        if not chunk:
            self._end().callback(self.lastSent)
            return
        self.consumer.write(sent)
        self.lastSent = sent[-1:]

    def pauseProducing(self) -> None:
        """Do nothing: a chunk is sent only when it is asked for."""

    def stopProducing(self) -> None:
        """Give up; the Deferred fails."""
        deferred, self.deferred = self.deferred, None
        self.file = None
        if deferred is not None:
            deferred.errback(Failure(Exception("Consumer asked us to stop producing")))

    def _end(self) -> Deferred[bytes]:
        """Let go of the file and the consumer, and return the Deferred, which is to be fired last."""
        deferred = self.deferred
        assert deferred is not None
        self.file = self.deferred = None
        self.consumer.unregisterProducer()
        return deferred
