"""An observer that remembers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from zope.interface import implementer

from torsion.logger.events import ILogObserver, LogEvent

if TYPE_CHECKING:
    from torsion.logger.observer import LogObserver

__all__ = ["LimitedHistoryLogObserver"]

_DEFAULT_SIZE = 64 * 1024


@implementer(ILogObserver)
class LimitedHistoryLogObserver:
    """Remembers the latest events, to show them to another observer later."""

    def __init__(self, size: int | None = _DEFAULT_SIZE) -> None:
        """Make it with room for *size* events, after which the oldest is forgotten; ``None`` means no limit."""
        self._events: deque[LogEvent] = deque(maxlen=size)

    def __call__(self, event: LogEvent) -> None:
        """Remember *event*."""
        self._events.append(event)

    def replayTo(self, otherObserver: LogObserver) -> None:
        """Show the remembered events to *otherObserver*, oldest first.  They stay remembered."""
        for event in list(self._events):
            otherObserver(event)
