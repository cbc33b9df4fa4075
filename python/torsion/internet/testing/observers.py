"""An observer that keeps the events it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from zope.interface import implementer

from torsion.logger import ILogObserver

if TYPE_CHECKING:
    from typing import Self

    from torsion.logger import LogEvent, LogPublisher


@implementer(ILogObserver)
class EventLoggingObserver(Sequence["LogEvent"]):
    """A sequence of the events that it observed, oldest first."""

    def __init__(self) -> None:
        self._events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        """Keep *event*."""
        self._events.append(event)

    def __len__(self) -> int:
        return len(self._events)

    @overload
    def __getitem__(self, index: int) -> LogEvent: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[LogEvent]: ...
    def __getitem__(self, index: int | slice) -> LogEvent | Sequence[LogEvent]:
        return self._events[index]

    def __iter__(self) -> Iterator[LogEvent]:
        return iter(self._events)

    @classmethod
    def createWithCleanup(cls, testInstance: Any, publisher: LogPublisher) -> Self:
        """Make an observer that is shown events until a test is over.

        :param testInstance: the test, which has ``addCleanup``.
        :param publisher: where it observes.
        """
        observer = cls()
        publisher.addObserver(observer)
        testInstance.addCleanup(publisher.removeObserver, observer)
        return observer
