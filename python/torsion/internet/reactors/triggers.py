"""System events: what a program asked to be called before, during and after an event such as ``shutdown``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from torsion.internet.defer import Deferred
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    _Call: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
    _Entry: TypeAlias = tuple[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]]
    Handle: TypeAlias = tuple[str, _Entry]

__all__ = ["SystemEvent", "SystemEvents"]

_log = Logger("torsion.internet.reactors.triggers")


class SystemEvent:
    """One event and its triggers, each of which is called once.

    The phase ``before`` may take time: a trigger that returns a Deferred holds up the other two phases until that has
    fired, with whatever result.  What a trigger raises is logged and stops nothing.
    """

    def __init__(self, name: str, first: Callable[[], object] | None = None) -> None:
        """Make an event.

        :param name: for the log.
        :param first: called at the start of each ``during`` phase; unlike a trigger it stays.
        """
        self.name = name
        self._first = first
        self._phases: dict[str, list[_Call]] = {"before": [], "during": [], "after": []}
        self._fired: list[_Call] | None = None

    def add(self, phase: str, call: _Call) -> None:
        """Add a trigger.

        :raises KeyError: if *phase* is none of ``before``, ``during`` and ``after``.
        """
        self._phase(phase).append(call)

    def remove(self, phase: str, call: _Call) -> None:
        """Take a trigger away again.

        :raises KeyError: if there is no such phase.
        :raises ValueError: if the trigger is not there, because it was removed or has been called.
        """
        calls = self._phase(phase)
        if phase == "before" and self._fired is not None and call not in calls and call in self._fired:
            warnings.warn(
                f"a trigger before {self.name!r} was removed while that event is being fired and after it was called; "
                "this will be a ValueError, as it is at any other time",
                DeprecationWarning,
                stacklevel=4,
            )
            return
        calls.remove(call)

    def _phase(self, phase: str) -> list[_Call]:
        try:
            return self._phases[phase]
        except KeyError:
            raise KeyError(f"{phase!r} is no phase of a system event; there are before, during and after") from None

    def fire(self) -> None:
        """Call all triggers, phase by phase."""
        waiting = 1  # for the loop below; one more for each Deferred
        fired = self._fired = []

        def arrived(result: object) -> None:
            nonlocal waiting
            if isinstance(result, Failure):
                _log.failure("A trigger before {event!r} failed", result, event=self.name)
            waiting -= 1
            if not waiting:
                if self._fired is fired:
                    self._fired = None
                self._finish()

        calls = self._phases["before"]
        while calls:
            call = calls.pop(0)
            fired.append(call)
            result = self._call(call)
            if isinstance(result, Deferred):
                waiting += 1
                result.addBoth(arrived)
        arrived(None)

    def _finish(self) -> None:
        if self._first is not None:
            self._call((self._first, (), {}))
        for phase in ("during", "after"):
            calls = self._phases[phase]
            while calls:
                self._call(calls.pop(0))

    def _call(self, call: _Call) -> object:
        function, args, kwargs = call
        try:
            return function(*args, **kwargs)
        except BaseException:  # noqa: BLE001 - SystemExit too: one trigger must not keep the others from their call
            _log.failure("A trigger of {event!r} raised", event=self.name)
            return None


class SystemEvents:
    """The events of one reactor, by name; an event comes to be when it is first named."""

    def __init__(self) -> None:
        self._events: dict[str, SystemEvent] = {}

    def define(self, name: str, first: Callable[[], object]) -> None:
        """Make the event *name*, with *first* as what its ``during`` phase starts with each time."""
        self._events[name] = SystemEvent(name, first)

    def add(self, phase: str, name: str, call: _Call) -> Handle:
        """Add a trigger and return what :meth:`remove` wants.

        :raises KeyError: if there is no such phase.
        """
        event = self._events.get(name)
        if event is None:
            event = self._events[name] = SystemEvent(name)
        event.add(phase, call)
        return name, (phase, *call)

    def remove(self, handle: Handle) -> None:
        """Take a trigger away again.

        :raises TypeError: if *handle* is nothing that :meth:`add` returns.
        :raises KeyError: if it names an event or a phase that does not exist.
        :raises ValueError: if the trigger is not there any more.
        """
        if not (isinstance(handle, tuple) and len(handle) == 2 and isinstance(handle[1], tuple)):
            raise TypeError(f"not a handle that addSystemEventTrigger returned: {handle!r}")
        name, (phase, function, args, kwargs) = handle
        self._events[name].remove(phase, (function, args, kwargs))

    def fire(self, name: str) -> None:
        """Fire an event; one without triggers may be fired too."""
        event = self._events.get(name)
        if event is not None:
            event.fire()
