"""What a client sends that costs us more than it costs the client: counted, and too much of it ends the connection."""

from __future__ import annotations

from typing import Any

from torsion.web.http2.limits import CONTROL, PAID, PERIOD, RESETS, TAKEN

__all__ = ["Toll"]


class Toll:
    """The counts of one connection."""

    def __init__(self, seconds: Any) -> None:
        """Begin to count.

        :param seconds: tells the time.
        """
        self._seconds = seconds
        self._since = seconds()
        self._resets = 0
        self._control = 0
        self._taken = 0

    def _count(self) -> None:
        now = self._seconds()
        if now - self._since > PERIOD:
            self._since, self._resets, self._control = now, 0, 0

    def reset(self) -> bool:
        """Count a request that was broken off; return whether these are too many."""
        self._count()
        self._resets += 1
        return self._resets > RESETS

    def control(self, window: bool = False) -> bool:
        """Count a frame that carries nothing; return whether these are too many.

        :param window: whether it opens a window: those are needed, so many for so much that was sent.
        """
        if window and self._taken >= TAKEN:
            self._taken -= TAKEN
            return False
        self._count()
        self._control += 1
        return self._control > CONTROL

    def sent(self, size: int) -> None:
        """Learn of bytes of a response that were sent."""
        self._taken += size

    def answered(self) -> None:
        """Learn of a request that was answered and taken to its end."""
        self._resets = max(self._resets - 1, 0)
        self._control = max(self._control - PAID, 0)
