"""How late the event loop is: a timer that looks at how much later than asked for it is called."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from torsion.application.status.histogram import Buckets
from torsion.internet.interfaces import IReactorInspection

if TYPE_CHECKING:
    from torsion.application.status.shape import Lag
    from torsion.internet.interfaces import LoopFigures

__all__ = ["INTERVAL", "SAMPLES", "LagMeter"]

INTERVAL = 0.25
"""How often the lag is measured, in seconds: often enough for a plot that moves, too seldom to be seen in the processor's time."""

SAMPLES = 480
"""How many measurements are kept: two minutes."""


class LagMeter:
    """Measures how late the loop is, and keeps the last measurements.

    A timer alone would see a long call only if that is going on when the timer is due; so the longest turn since the last
    measurement counts as well, where the reactor tells it (``IReactorInspection``).
    """

    def __init__(self, reactor: Any) -> None:
        """Make one for the loop of *reactor*; :meth:`start` starts it."""
        self._reactor = reactor
        self._inspectable = bool(IReactorInspection.providedBy(reactor))
        self._longest = 0.0
        self._buckets = Buckets()
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES)
        self._max = 0.0
        self._due = 0.0
        self._call: Any = None

    def start(self) -> None:
        """Begin to measure."""
        if self._call is None:
            self._next()

    def stop(self) -> None:
        """Measure no more."""
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()

    def _next(self) -> None:
        self._due = self._reactor.seconds() + INTERVAL
        self._call = self._reactor.callLater(INTERVAL, self._measure)

    def _measure(self) -> None:
        late = max(0.0, self._reactor.seconds() - self._due)
        self.look()
        late, self._longest = max(late, self._longest), 0.0
        self._buckets.add(late)
        self._max = max(self._max, late)
        self._samples.append((time.time(), late))
        self._next()

    def look(self) -> LoopFigures | None:
        """Return what the reactor tells of its loop, or None.  To be asked for here alone: it begins a new measure each time."""
        if not self._inspectable:
            return None
        figures: LoopFigures = self._reactor.loop()
        self._longest = max(self._longest, figures.longest)
        return figures

    def figures(self) -> Lag:
        """Return what was measured so far."""
        return {
            "interval": INTERVAL,
            "histogram": self._buckets.figures(),
            "max": self._max,
            "samples": list(self._samples),
        }
