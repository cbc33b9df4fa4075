"""How long a client waits before it connects again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["backoffPolicy"]


def _chance() -> float:
    from random import random  # here, since it is slow to load and most programs never come by

    return random()  # noqa: S311 - nothing is to be kept secret


def backoffPolicy(
    initialDelay: float = 1.0,
    maxDelay: float = 60.0,
    factor: float = 1.5,
    jitter: Callable[[], float] = _chance,
) -> Callable[[int], float]:
    """Make a policy: waits that grow with each failure, up to a limit.

    :param initialDelay: the wait at attempt 0, in seconds.
    :param maxDelay: the longest wait, in seconds and without the jitter.
    :param factor: by how much each wait is longer than the one before.
    :param jitter: returns a number of seconds to add to a wait, so that the many clients of a server that comes back do
        not come back all at once; up to one second unless another is given.
    :returns: a function that takes the number of attempts which have failed in a row, and returns for how many seconds
        to wait before the next one.
    """

    def policy(attempt: int) -> float:
        try:
            wait = min(maxDelay, initialDelay * math.pow(factor, attempt))
        except OverflowError:  # the wait would be longer than any number
            wait = maxDelay
        return wait + jitter()

    return policy
