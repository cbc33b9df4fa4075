"""Figures of a reactor's connections, ports, timers and threads: bounded lists beside exact totals."""

from __future__ import annotations

import threading
from collections import Counter
from heapq import nlargest, nsmallest
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from torsion.application.status.describe import address_text, bounded, call_text, class_text
from torsion.application.status.errors import OTHERS
from torsion.internet.interfaces import IReactorInspection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion.application.status.shape import Connection, Connections, Histogram, Listener, Threads, Timers
    from torsion.internet.interfaces import ConnectionFigures, LoopFigures

__all__ = ["LISTED", "PROTOCOLS", "connections", "listeners", "rarer", "threads", "timers", "turn_times"]

LISTED = 100
"""How many connections, ports, timers and threads are listed: what a person looks through; totals count all of them."""

PROTOCOLS = 20
"""How many protocols are counted each for itself: these become labels of metrics, which must be few."""


def connections(reactor: Any, worker: str | None) -> Connections:
    """Return the figures of all connections of the program; none where the reactor does not tell of them."""
    figures: list[ConnectionFigures] = []
    kinds: Counter[type] = Counter()
    if IReactorInspection.providedBy(reactor):
        figures, kinds = _of_the_program(reactor.connections())
    first = nlargest(LISTED, figures, key=_interest)
    now = reactor.seconds()
    names: Counter[str] = Counter()
    for kind, number in kinds.items():
        names[_protocol_text(kind)] += number
    return {
        "open": len(figures),
        "outbox": sum([each.outbox for each in figures]),
        "read": sum([each.bytesRead for each in figures]),
        "written": sum([each.bytesWritten for each in figures]),
        "by_protocol": rarer(names, PROTOCOLS),
        "list": [_connection(each, now, worker) for each in first],
    }


def _of_the_program(figures: Iterable[ConnectionFigures]) -> tuple[list[ConnectionFigures], Counter[type]]:
    """Return the connections that are not the command's own, such as that which asks, and how many have which protocol.

    There may be a hundred thousand, so each class and each port is looked at once.
    """
    theirs: list[ConnectionFigures] = []
    kinds: Counter[type] = Counter()
    known: dict[type, bool] = {}
    ports: dict[int, bool] = {}
    for each in figures:
        kind, port = type(each.protocol), each.listener
        own = known.get(kind)
        if own is None:
            own = known[kind] = _says_so(kind)
        if not own and port is not None:
            own = ports.get(id(port))
            if own is None:
                own = ports[id(port)] = _says_so(getattr(port, "factory", None))
        if not own:
            theirs.append(each)
            kinds[kind] += 1
    return theirs, kinds


def _says_so(thing: object) -> bool:
    try:
        return bool(getattr(thing, "operating", False))
    except Exception:  # noqa: BLE001 - a program's objects may do anything
        return False


def _interest(each: ConnectionFigures) -> tuple[int, int, float]:
    return each.outbox, each.bytesRead + each.bytesWritten, -each.opened


def _protocol_text(kind: type) -> str:
    return "(none)" if kind is type(None) else bounded(f"{kind.__module__}.{kind.__qualname__}")


def _connection(each: ConnectionFigures, now: float, worker: str | None) -> Connection:
    return {
        "worker": worker,
        "kind": _kind(each),
        "peer": _safely(each, "peer"),
        "host": _safely(each, "host"),
        "protocol": _protocol_text(type(each.protocol)),
        "listener": "" if each.listener is None else _port_text(each.listener),
        "age": max(0.0, each.age(now)),
        "read": each.bytesRead,
        "written": each.bytesWritten,
        "outbox": each.outbox,
    }


def _kind(each: ConnectionFigures) -> str:
    try:
        return bounded(each.kind) + ("+TLS" if each.secure and "TLS" not in each.kind else "")
    except Exception:  # noqa: BLE001 - protocols of programs stand between
        return bounded(each.kind)


def _safely(figures: Any, end: str) -> str:
    try:
        return address_text(getattr(figures, end))
    except Exception:  # noqa: BLE001 - a transport that has just lost its socket
        return "(unknown)"


def _port_text(port: Any) -> str:
    try:
        return address_text(port.getHost())
    except Exception:  # noqa: BLE001 - a port that is closed by now
        return "(closed)"


def rarer(counts: Counter[str], number: int) -> dict[str, int]:
    """Return the *number* largest of *counts*, and the rest of them together."""
    if len(counts) <= number:
        return dict(counts.most_common())
    first = dict(counts.most_common(number))
    first[OTHERS] = first.get(OTHERS, 0) + sum(counts.values()) - sum(first.values())
    return first


def listeners(reactor: Any, worker: str | None) -> list[Listener]:
    """Return the figures of the program's ports; none where the reactor does not tell of them."""
    if not IReactorInspection.providedBy(reactor):
        return []
    figures = [each for each in reactor.listeners() if not _says_so(each.factory)]
    return [
        {
            "worker": worker,
            "kind": bounded(each.kind),
            "address": address_text(each.address),
            "factory": class_text(each.factory),
            "accepted": each.accepted,
            "open": each.open,
        }
        for each in figures[:LISTED]
    ]


def timers(reactor: Any, worker: str | None) -> Timers:
    """Return what a reactor is to call, the next ones first."""
    pending = reactor.getDelayedCalls()
    now = reactor.seconds()
    return {
        "pending": len(pending),
        "list": [
            {"worker": worker, "call": call_text(getattr(each, "func", None)), "due": each.getTime() - now}
            for each in nsmallest(LISTED, pending, key=methodcaller("getTime"))
        ],
    }


def threads(reactor: Any, worker: str | None) -> Threads:
    """Return all threads of Python, and how the reactor's pool stands."""
    running = threading.enumerate()
    pool = getattr(reactor, "threadpool", None)
    statistics = None if pool is None else pool.statistics()
    return {
        "count": len(running),
        "pool": None
        if statistics is None
        else {
            "minimum": statistics.minimum,
            "maximum": statistics.maximum,
            "threads": statistics.workers,
            "busy": statistics.busy,
            "queued": statistics.queued,
            "completed": statistics.completed,
        },
        "list": [{"worker": worker, "name": bounded(each.name), "daemon": each.daemon} for each in running[:LISTED]],
    }


def turn_times(figures: LoopFigures) -> Histogram:
    """Return how long the loop's turns took."""
    bounds = [bound for bound, _ in figures.histogram[:-1]]  # the last one is infinite
    return {"bounds": bounds, "counts": [count for _, count in figures.histogram], "sum": figures.busy}
