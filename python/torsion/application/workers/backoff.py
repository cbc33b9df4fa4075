"""When a worker that has ended is started again: at once the first time, then later and later."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FACTOR", "FIRST", "JITTER", "LONGEST", "SETTLED", "Backoff"]

FIRST = 0.5
"""Seconds before the second start in a row.  A Python process takes a few tenths of a second to start, so that a crash loop
spends at most about a third of one core on starting."""

FACTOR = 2.0
"""By what each further delay is longer: four ends in a row are well within ten seconds, in which a database that restarts,
say, is back."""

LONGEST = 30.0
"""Seconds that no delay exceeds: how long those who have mended the cause wait at most until all is well again, and rarely
enough that a worker which crashes all day does not fill a disk with its tracebacks."""

JITTER = 0.2
"""The share by which each delay varies at random, both ways: workers that died together, of the same cause, do not come
back together."""

SETTLED = 10.0
"""Seconds that a worker must have served to count as sound: when it ends then, the row is over and begins anew.  Longer than
most faults at start-up take to show, shorter than the delay that it forgives."""


class Backoff:
    """The delays of one slot.

    :ivar failures: how many workers in a row have ended before they had settled.
    """

    def __init__(self, jitter: Callable[[float, float], float] = random.uniform) -> None:
        """Begin with no failures.

        :param jitter: called with two numbers; returns one between them.
        """
        self.failures = 0
        self._jitter = jitter

    def ended(self, served: float) -> float:
        """Note the end of a worker, and return after how many seconds there is to be another.

        The first failure in a row costs no delay: one that was killed is replaced at once.

        :param served: for how many seconds it had been ready; 0 if it never was.
        """
        if served >= SETTLED:
            self.failures = 0
        self.failures += 1
        if self.failures == 1:
            return 0.0
        # The exponent is bounded as well: after a day of failures the power would be more than any float.
        delay = min(LONGEST, FIRST * FACTOR ** min(self.failures - 2, 32))
        return min(LONGEST, delay * self._jitter(1 - JITTER, 1 + JITTER))
