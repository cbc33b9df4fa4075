"""What kept the loop for too long: the last of it is kept, and told in the log."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from torsion.application.status.describe import bounded
from torsion.application.status.errors import KEPT
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.application.status.shape import Slow, SlowCall
    from torsion.internet.reactors.slow import SlowCallback

__all__ = ["LOG_SECONDS", "SlowLog"]

_log = Logger("torsion.application.status")

LOG_SECONDS = 1.0
"""How long after one slow callback was logged the next one is: a program that is slow all the time is not to fill the disk."""

_MAX_STACK = 20_000


class SlowLog:
    """Keeps the last slow callbacks, with their stacks."""

    def __init__(self, threshold: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep what took *threshold* seconds or longer; *clock* tells when to log."""
        self._threshold = threshold
        self._clock = clock
        self._count = 0
        self._last: deque[SlowCall] = deque(maxlen=KEPT)
        self._quiet_until = float("-inf")
        self._unsaid = 0

    def noticed(self, slow: SlowCallback) -> None:
        """Log one that goes on, with its stack; called in another thread than the reactor's."""
        now = self._clock()
        if now < self._quiet_until:
            self._unsaid += 1
            return
        self._quiet_until = now + LOG_SECONDS
        unsaid, self._unsaid = self._unsaid, 0
        _log.warn(
            "{call} keeps the event loop, for {seconds:.3f} s so far{others}; its stack:\n{stack}",
            call=bounded(slow.name),
            seconds=slow.duration,
            others=f" (and {unsaid} others since the last such line)" if unsaid else "",
            stack=_stack(slow),
        )

    def ended(self, slow: SlowCallback) -> None:
        """Keep one that has ended."""
        self._count += 1
        self._last.appendleft(
            {
                "worker": None,
                "at": time.time() - slow.duration,
                "seconds": slow.duration,
                "call": bounded(slow.name),
                "stack": _stack(slow),
            }
        )

    def figures(self) -> Slow:
        """Return what was kept so far."""
        return {"threshold": self._threshold, "count": self._count, "list": list(self._last)}


def _stack(slow: SlowCallback) -> str:
    try:
        return bounded("".join(slow.stack.format()), _MAX_STACK)
    except Exception:  # noqa: BLE001 - source lines are read when they are asked for, from files that may be anything by now
        return "(the stack cannot be shown)"
