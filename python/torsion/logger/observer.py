"""``LogPublisher``, which shows each event to many observers, and the one of the whole process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from time import time
from typing import TYPE_CHECKING

from zope.interface import implementer, provider

from torsion.logger.events import ILogObserver, LogEvent
from torsion.logger.levels import LogLevel
from torsion.python.failure import Failure

if TYPE_CHECKING:
    # What an observer is to a type checker; at run time any callable will do.
    LogObserver = ILogObserver | Callable[[LogEvent], object]

__all__ = ["LogPublisher", "bitbucketLogObserver", "globalLogPublisher"]

_changing = Lock()

OBSERVER_RAISED = "Temporarily disabling observer {observer} due to exception: {log_failure}"


@implementer(ILogObserver)
class LogPublisher:
    """An observer that shows each event to other observers, in the order in which they were added.

    An observer that raises does not keep the others from the event: once all have had it, the error is logged as a
    critical event to all but the one that raised.  That one stays and gets the next event.

    May be used from any thread; observers are called in the thread that logs.
    """

    def __init__(self, *observers: LogObserver) -> None:
        # Replaced, never changed: an event in delivery goes on with the tuple that it started with.
        self._observers: tuple[LogObserver, ...] = observers

    def addObserver(self, observer: LogObserver) -> None:
        """Show events to *observer* from now on; one that is registered already is not added again.

        :raise TypeError: if it is not callable.
        """
        if not callable(observer):
            raise TypeError(f"a log observer must be callable with one event, and {observer!r} is not callable")
        self.replaceObserver(None, observer)

    def removeObserver(self, observer: LogObserver) -> None:
        """Stop showing events to *observer*; nothing happens if it is not registered."""
        self.replaceObserver(observer)

    def replaceObserver(self, old: LogObserver | None, *new: LogObserver) -> None:
        """Stop showing events to *old*, if that is registered, and show them to *new* instead.

        Each event is shown either to the one or to the others, whatever thread it comes from.
        """
        with _changing:
            kept = [observer for observer in self._observers if observer != old]
            self._observers = (*kept, *(observer for observer in new if observer not in kept))

    def __call__(self, event: LogEvent) -> None:
        """Show *event* to every observer."""
        self._publish(event, self._observers)

    def _publish(self, event: LogEvent, observers: Sequence[LogObserver]) -> None:
        trace = event.get("log_trace")
        raised: list[tuple[LogObserver, Failure]] | None = None
        for observer in observers:
            if trace is not None:
                trace.append((self, observer))
            try:
                observer(event)
            except Exception:  # noqa: BLE001 - reported below
                raised = raised or []
                raised.append((observer, Failure()))
        for observer, failure in raised or ():
            # One observer fewer each time, so that observers that all raise cannot keep each other busy for ever.
            self._publish(self._reported(observer, failure), [other for other in observers if other is not observer])

    def _reported(self, observer: LogObserver, failure: Failure) -> LogEvent:
        return {
            "log_format": OBSERVER_RAISED,
            "log_level": LogLevel.critical,
            "log_namespace": __name__,
            "log_source": self,
            "log_time": time(),
            "log_failure": failure,
            "observer": observer,
        }


@provider(ILogObserver)
def bitbucketLogObserver(event: LogEvent) -> None:
    """Do nothing with *event*."""


globalLogPublisher = LogPublisher()
"""Where every ``Logger`` sends its events that was given no other observer."""
