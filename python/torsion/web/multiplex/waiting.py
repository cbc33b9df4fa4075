"""The bytes of a body that wait for the other end's window, and the producer that waits for them to be sent."""

from __future__ import annotations

from collections import deque
from typing import Any

from torsion.python.failure import Failure

__all__ = ["Waiting"]


class Waiting:
    """The part of a stream, at either end, that keeps what cannot be sent yet.

    :cvar most_kept: from so many bytes on, the producer is paused.
    """

    most_kept = 64 * 1024
    _producer: Any = None
    _paused = False
    _kept = 0

    def _producer_failed(self, reason: Failure) -> None:
        raise NotImplementedError  # the stream, of which this is a part, has it

    def _cut(self, parts: deque[bytes | memoryview], most: int) -> bytes:
        """Return the next bytes of *parts*, at most so many, and keep them no more."""
        part = parts.popleft()
        if len(part) > most:
            rest = memoryview(part)  # what is left of a large body is not copied for each frame
            parts.appendleft(rest[most:])
            part = rest[:most]
        self._kept -= len(part)
        return bytes(part)

    def adjust(self, blocked: bool) -> None:
        """Pause the producer, or let it go on.

        :param blocked: whether the whole connection takes nothing.
        """
        pause = blocked or self._kept >= self.most_kept
        if self._producer is None or pause is self._paused or (self._paused and self._kept):
            return
        self._paused = pause
        try:
            if pause:
                self._producer.pauseProducing()
            else:
                self._producer.resumeProducing()
        except Exception:  # noqa: BLE001 - the program's: it costs this request, and not the others
            self._producer_failed(Failure())
