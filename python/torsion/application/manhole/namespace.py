"""The names at hand at a prompt."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["ROWS_SHOWN", "Connections", "Leave", "Listeners", "Rows", "names_of"]

ROWS_SHOWN = 200
"""How many rows of a table are shown: some screens full."""


class Rows(list[Any]):
    """A list that is shown as a table: a line for each item, with the columns that :meth:`cells` gives."""

    heading: tuple[str, ...] = ()

    def cells(self, item: Any) -> tuple[object, ...]:
        """Return what stands in the line of *item*."""
        return (item,)

    def __repr__(self) -> str:
        lines = [self.heading, *(tuple(map(str, self.cells(item))) for item in self[:ROWS_SHOWN])]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        ]
        if len(self) > ROWS_SHOWN:
            text.append(f"... and {len(self) - ROWS_SHOWN} more")
        return "\n".join(text)


class Connections(Rows):
    """What a reactor tells of its connections."""

    heading = ("KIND", "PEER", "PROTOCOL", "AGE", "READ", "WRITTEN", "OUTBOX")

    def __init__(self, items: Iterable[Any], seconds: Callable[[], float]) -> None:
        """Hold *items*; *seconds* is the clock by which they were opened."""
        super().__init__(items)
        self._seconds = seconds

    def cells(self, item: Any) -> tuple[object, ...]:
        """Return what stands in the line of *item*."""
        age = f"{self._seconds() - item.opened:.1f} s"
        peer = _address(item.transport.getPeer())
        return item.kind, peer, type(item.protocol).__name__, age, item.bytesRead, item.bytesWritten, item.outbox


class Listeners(Rows):
    """What a reactor tells of what it listens at."""

    heading = ("KIND", "ADDRESS", "FACTORY", "ACCEPTED", "OPEN")

    def cells(self, item: Any) -> tuple[object, ...]:
        """Return what stands in the line of *item*."""
        factory = getattr(item.factory, "factory", item.factory)  # that behind a guard
        return item.kind, _address(item.address), type(factory).__name__, item.accepted, item.open


def _address(address: Any) -> str:
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if host is not None:
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    name = getattr(address, "name", None)
    return os.fsdecode(name) if isinstance(name, bytes) else "-" if hasattr(address, "name") else str(address)


class Leave:
    """``exit`` and ``quit``: to call it leaves the prompt; the process goes on."""

    def __repr__(self) -> str:
        return "Ctrl-D, or exit(), leaves this prompt. The process goes on; run.stop() or reactor.stop() would stop it."

    def __call__(self, code: object = None) -> None:
        """Leave the prompt."""
        raise SystemExit(code)


def _services(service: Any, depth: int = 10) -> Iterator[Any]:
    yield service
    children = getattr(service, "services", None)
    if isinstance(children, list) and depth:
        for child in children:
            yield from _services(child, depth - 1)


def names_of(reactor: Any, run: Any = None) -> dict[str, Any]:
    """Return what a prompt has by name.

    :param reactor: the reactor: ``reactor``.
    :param run: the run of the command: ``run``, and with it ``service``, the root of what is run, and each service in it that has
        a name, by that name, if it is one that Python could have and is not taken.
    :returns: these, and ``connections()``, ``listeners()``, ``exit`` and ``quit``.
    """
    names: dict[str, Any] = {"__name__": "__manhole__", "__doc__": None, "reactor": reactor}
    names["exit"] = names["quit"] = Leave()
    names["connections"] = _connections(reactor)
    names["listeners"] = _listeners(reactor)
    if run is not None:
        names["run"] = run
        names["service"] = run.service
        for each in _services(run.service):
            name = getattr(each, "name", None)
            if isinstance(name, str) and name.isidentifier():
                names.setdefault(name, each)
    return names


def _connections(reactor: Any) -> Callable[[], Rows]:
    def connections() -> Rows:
        """Return the connections that are open, shown as a table."""
        return Connections(_ask(reactor, "connections"), reactor.seconds)

    return connections


def _listeners(reactor: Any) -> Callable[[], Rows]:
    def listeners() -> Rows:
        """Return what is listened at, shown as a table."""
        return Listeners(_ask(reactor, "listeners"))

    return listeners


def _ask(reactor: Any, name: str) -> Any:
    if not hasattr(reactor, name):
        raise LookupError(f"{type(reactor).__name__} does not keep account of its {name}")
    return getattr(reactor, name)()
