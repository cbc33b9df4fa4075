"""``LogPublisher``, which shows each event to many observers, and the one of the whole process.

Most events of a program that runs well are shown to nobody: there is no observer, or all of them filter by level.  Whether
anybody hears is found out once for each publisher, level and namespace, and kept in ``heard`` until something changes; a
``Logger`` that finds there that nobody does, makes no event at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock, RLock, local
from time import time
from typing import TYPE_CHECKING, Any

from zope.interface import implementer, provider

from torsion.logger.events import ILogObserver, LogEvent
from torsion.logger.levels import LogLevel
from torsion.python.failure import Failure

if TYPE_CHECKING:
    # What an observer is to a type checker; at run time any callable will do.
    LogObserver = ILogObserver | Callable[[LogEvent], object]

__all__ = ["LogPublisher", "bitbucketLogObserver", "forget_who_hears", "globalLogPublisher", "heard", "hears"]

_changing = Lock()

MOST_NESTED = 3
"""How often an observer may be called within itself, in one thread.  Enough for one that has a thing or two to say about its
own work; few enough that one that answers each event with ten stops after a thousand."""


class _Here(local):
    """The observers that are being called in a thread, outermost first."""

    def __init__(self) -> None:
        self.called: list[LogObserver] = []


_here = _Here()

MOST_REMEMBERED = 4096
"""How many answers are kept: far more than a program has, unless it makes up namespaces as it runs."""

heard: dict[tuple[LogPublisher, LogLevel, str], bool] = {}
"""Whether anybody hears events of a publisher, a level and a namespace."""

_changes = 0
# Re-entrant: a finalizer that runs while it is held may log.
_remembering = RLock()


def forget_who_hears() -> None:
    """Have it found out anew who hears what: an observer came or went, or a level was set."""
    global _changes
    with _remembering:
        _changes += 1
        heard.clear()


def hears(observer: Any, level: LogLevel, namespace: str) -> bool:
    """Return whether *observer* may do anything at all with an event of *level* from *namespace*.

    Only classes that say so themselves, by a method ``_hears``, can be known not to: one that inherits it may do something
    else with its events.
    """
    said = type(observer).__dict__.get("_hears")
    return observer is not bitbucketLogObserver and (said is None or said(observer, level, namespace))


OBSERVER_RAISED = "Temporarily disabling observer {observer} due to exception: {log_failure}"


@implementer(ILogObserver)
class LogPublisher:
    """An observer that shows each event to other observers, in the order in which they were added.

    An observer that raises does not keep the others from the event: once all have had it, the error is logged as a
    critical event to all but the one that raised.  That one stays and gets the next event.

    An observer that logs, or prints where what is printed is logged, is shown its own event, and those that it logs about that
    one, but no further than ``MOST_NESTED`` deep: from there on, events are shown to the others only.

    May be used from any thread; observers are called in the thread that logs.
    """

    def __init__(self, *observers: LogObserver) -> None:
        """Show events to *observers*.

        :raise TypeError: if one of them is not callable.
        """
        for observer in observers:
            _check_callable(observer)
        # Replaced, never changed: an event in delivery goes on with the tuple that it started with.
        self._observers: tuple[LogObserver, ...] = observers

    def addObserver(self, observer: LogObserver) -> None:
        """Show events to *observer* from now on; one that is registered already is not added again.

        :raise TypeError: if it is not callable.
        """
        _check_callable(observer)
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
        forget_who_hears()

    def _hears(self, level: LogLevel, namespace: str) -> bool:
        """Return whether any observer hears, and remember that."""
        before = _changes
        answer = any(hears(observer, level, namespace) for observer in self._observers)
        with _remembering:
            # Where something changed meanwhile, the answer is yesterday's, and may be wrong by now.
            if before == _changes and namespace.__class__ is str:
                if len(heard) >= MOST_REMEMBERED:
                    heard.clear()
                heard[self, level, namespace] = answer
        return answer

    def __call__(self, event: LogEvent) -> None:
        """Show *event* to every observer."""
        self._publish(event, self._observers)

    def _publish(self, event: LogEvent, observers: Sequence[LogObserver]) -> None:
        trace = event.get("log_trace")
        raised: list[tuple[LogObserver, Failure]] | None = None
        called = _here.called
        for observer in observers:
            if called and sum(each is observer for each in called) >= MOST_NESTED:
                continue
            if trace is not None:
                trace.append((self, observer))
            called.append(observer)
            try:
                observer(event)
            except Exception:  # noqa: BLE001 - reported below
                raised = raised or []
                raised.append((observer, Failure()))
            finally:
                called.pop()
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


def _check_callable(observer: object) -> None:
    if not callable(observer):
        raise TypeError(f"a log observer must be callable with one event, and {observer!r} is not callable")


@provider(ILogObserver)
def bitbucketLogObserver(event: LogEvent) -> None:
    """Do nothing with *event*."""


globalLogPublisher = LogPublisher()
"""Where every ``Logger`` sends its events that was given no other observer."""
