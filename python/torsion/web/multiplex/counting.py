"""What the other end sends that costs us more than it costs that: counted, and too much of it ends the connection."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["CONTROL", "PAID", "PERIOD", "RESETS", "TAKEN", "Toll"]

PERIOD: Final = 10.0
"""Seconds in which resets, and frames that carry nothing, are counted."""

RESETS: Final = 200
"""Requests that a client may take back, or have us break off by breaking rules, in :data:`PERIOD`, beyond those that it lets be
answered: the attacks "rapid reset" (CVE-2023-44487) and "made you reset" (CVE-2025-8671) do so with millions, browsers with dozens,
when a page is left, and proxies, which carry the requests of many, with fewer than are answered."""

CONTROL: Final = 2000
"""Frames in :data:`PERIOD` that carry nothing: pings, settings, priorities, windows, empty data, kinds that nobody knows, answers to
what we say, whatever is for a stream that is closed.  Each costs us an answer, or time."""

PAID: Final = 4
"""Frames that carry nothing that are forgotten for each request that is answered: who asks much may also say much about it."""

TAKEN: Final = 4 * 1024
"""Bytes of bodies that we sent for which one window does not count as a frame that carries nothing.  Windows are opened twice, for
a stream and for the connection, at each frame of 16 KiB or more rarely; who opens them by a few bytes has us send tiny frames."""


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
        """Learn of bytes of a body that were sent."""
        self._taken += size

    def answered(self) -> None:
        """Learn of a request that was answered and taken to its end."""
        self._resets = max(self._resets - 1, 0)
        self._control = max(self._control - PAID, 0)
