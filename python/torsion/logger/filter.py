"""Observers that pick events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from zope.interface import Interface, implementer

from torsion.logger.events import ILogObserver, LogEvent
from torsion.logger.levels import InvalidLogLevelError, LogLevel, OrderedConstant
from torsion.logger.observer import bitbucketLogObserver, forget_who_hears, hears

if TYPE_CHECKING:
    from torsion.logger.observer import LogObserver


__all__ = ["FilteringLogObserver", "ILogFilterPredicate", "LogLevelFilterPredicate", "PredicateResult"]


class PredicateResult(OrderedConstant):
    """What a predicate says of an event.

    :cvar yes: let it pass, and ask no further predicate.
    :cvar no: hold it back, and ask no further predicate.
    :cvar maybe: ask the next predicate; if there is none, let it pass.
    """

    yes = 0
    no = 1
    maybe = 2


class ILogFilterPredicate(Interface):
    """Decides whether an event passes: any callable that takes an event and returns a ``PredicateResult``."""

    def __call__(event: LogEvent) -> PredicateResult:  # noqa: N805 - an interface's methods have no self
        """Return what shall become of *event*."""


@implementer(ILogObserver)
class FilteringLogObserver:
    """Shows another observer only those events that its predicates let pass."""

    def __init__(
        self,
        observer: LogObserver,
        predicates: Iterable[ILogFilterPredicate | Callable[[LogEvent], PredicateResult]],
        negativeObserver: LogObserver = bitbucketLogObserver,
    ) -> None:
        """Filter events for *observer*.

        :param observer: gets the events that pass.
        :param predicates: are asked in order, until one says ``yes`` or ``no``.
        :param negativeObserver: gets the events that do not pass.
        """
        self._observer = observer
        self._predicates = list(predicates)
        self._negativeObserver = negativeObserver

    def __call__(self, event: LogEvent) -> None:
        """Show *event* to the one observer or the other.

        :raise TypeError: if a predicate returns something else than a ``PredicateResult``.
        """
        observer = self._observer if self._passes(event) else self._negativeObserver
        if "log_trace" in event and observer is not bitbucketLogObserver:
            event["log_trace"].append((self, observer))
        observer(event)

    def _hears(self, level: LogLevel, namespace: str) -> bool:
        for predicate in self._predicates:
            if predicate.__class__ is not LogLevelFilterPredicate:
                return True  # it wants to be asked about the event itself
            if level < predicate.logLevelForNamespace(namespace):
                return hears(self._negativeObserver, level, namespace)
        return hears(self._observer, level, namespace)

    def _passes(self, event: LogEvent) -> bool:
        for predicate in self._predicates:
            result = predicate(event)
            if result is PredicateResult.yes:
                return True
            if result is PredicateResult.no:
                return False
            if result is not PredicateResult.maybe:
                raise TypeError(f"the log filter predicate {predicate!r} must return a PredicateResult, not {result!r}")
        return True


@implementer(ILogFilterPredicate)
class LogLevelFilterPredicate:
    """Holds back events below a level that can be set for each namespace.

    A namespace without a level of its own has that of its nearest parent: ``a.b.c`` that of ``a.b``.
    """

    def __init__(self, defaultLogLevel: LogLevel = LogLevel.info) -> None:
        """Start with *defaultLogLevel* for every namespace.

        :raise InvalidLogLevelError: if that is no ``LogLevel``.
        """
        if not isinstance(defaultLogLevel, LogLevel):
            raise InvalidLogLevelError(defaultLogLevel)
        self.defaultLogLevel = defaultLogLevel
        self._levels: dict[str, LogLevel] = {}
        self._inherited: dict[str, LogLevel] = {}
        self.clearLogLevels()

    def logLevelForNamespace(self, namespace: str | None) -> LogLevel:
        """Return the level for *namespace*; ``""`` and ``None`` stand for the default."""
        if not namespace:
            return self._levels[""]
        level = self._inherited.get(namespace)
        if level is None:
            name = namespace
            while name not in self._levels:
                name = name.rpartition(".")[0]
            level = self._inherited[namespace] = self._levels[name]
        return level

    def setLogLevelForNamespace(self, namespace: str | None, level: LogLevel) -> None:
        """Hold back events of *namespace* and its children below *level*.

        :param namespace: ``""`` and ``None`` stand for all that have no level of their own.
        :raise InvalidLogLevelError: if *level* is no ``LogLevel``.
        """
        if not isinstance(level, LogLevel):
            raise InvalidLogLevelError(level)
        self._levels[namespace or ""] = level
        self._inherited.clear()
        forget_who_hears()

    def clearLogLevels(self) -> None:
        """Forget all levels that were set, and go back to the default."""
        self._levels = {"": self.defaultLogLevel}
        self._inherited = {}
        forget_who_hears()

    def __call__(self, event: LogEvent) -> PredicateResult:
        """Return ``no`` for an event without level or namespace, or below its namespace's level; else ``maybe``."""
        level = event.get("log_level")
        namespace = event.get("log_namespace")
        if level is None or not namespace or level < self.logLevelForNamespace(namespace):
            return PredicateResult.no
        return PredicateResult.maybe
