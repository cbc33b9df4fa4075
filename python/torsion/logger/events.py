"""What a log event is, and who may look at it.

An event is a ``dict``.  Keys that start with ``log_`` belong to the logger:

- ``log_format``: the text, with fields in braces that name other keys; ``log_time``: seconds since the epoch;
- ``log_level``, ``log_namespace``, ``log_source``, ``log_logger``: from the ``Logger`` that emitted it;
- ``log_failure``: a ``Failure``, if the event reports one; ``log_system``: overrides namespace and level in text;
- ``log_trace``: if present, a list to which each publisher appends ``(publisher, observer)`` as it passes the event on.
"""

from __future__ import annotations

from typing import Any

from zope.interface import Interface

__all__ = ["ILogObserver", "LogEvent", "formatTrace"]

LogEvent = dict[str, Any]


class ILogObserver(Interface):
    """Something that log events are shown to: any callable that takes one event."""

    def __call__(event: LogEvent) -> None:  # noqa: N805 - an interface's methods have no self
        """Look at *event*.  It is shown to other observers too: do not change it."""


def formatTrace(trace: list[tuple[Any, Any]]) -> str:
    """Return as text the way an event took, from the value of its ``log_trace``: one observer a line, indented."""
    depths: dict[int, int] = {}
    lines: list[str] = []
    for publisher, observer in trace:
        if id(publisher) not in depths:
            depths[id(publisher)] = 0
            lines.append(_traced(publisher))
        depth = depths[id(observer)] = depths[id(publisher)] + 1
        lines.append(f"{'  ' * depth}-> {_traced(observer)}")
    return "".join(f"{line}\n" for line in lines)


def _traced(observer: Any) -> str:
    name = getattr(observer, "name", None)
    return f"{observer} ({name})" if name else f"{observer}"
