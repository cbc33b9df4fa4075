"""One snapshot of several processes that serve together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from torsion.application.status.errors import KEPT, TYPES
from torsion.application.status.lag import SAMPLES
from torsion.application.status.watched import LISTED, PROTOCOLS, rarer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from torsion.application.status.shape import (
        Connection,
        Errors,
        Histogram,
        Lag,
        Listener,
        Loop,
        Pool,
        Slow,
        Snapshot,
        Threads,
        Worker,
    )

__all__ = ["merge"]

_RECENT_SECONDS = 10.0
"""Of how many seconds the longest lag is shown beside a worker."""

_SERVING = ("ready", "reloading")


def merge(
    snapshots: Sequence[Snapshot],
    *,
    master: Snapshot | None = None,
    missing: Mapping[str, str] | None = None,
    restarts: Mapping[str, int] | None = None,
    past: Sequence[Snapshot] = (),
) -> Snapshot:
    """Return one snapshot of several workers: totals are added up, lists joined and cut to their bounds again.

    :param snapshots: those of the workers, each with another ``worker``.
    :param master: that of the process which answers; its figures of the process are shown, its errors and slow calls are among those
        of the workers.  Without one the first worker stands for it.
    :param missing: workers that gave no snapshot, and why, in a sentence.
    :param restarts: how many times which worker was started anew.
    :param past: what workers have counted that are gone (:class:`torsion.application.status.past.Past`).
    :raises ValueError: if there is nothing to merge.
    """
    everyone = [*snapshots] if master is None else [master, *snapshots]
    if not everyone:
        raise ValueError("there is nothing to merge: give the snapshots of workers, or that of a master")
    first = everyone[0]
    everyone += past
    restarts = restarts or {}
    workers = [_worker(each, restarts) for each in snapshots]
    workers += [_missing(name, why, restarts) for name, why in (missing or {}).items()]
    workers.sort(key=lambda each: (len(each["worker"]), each["worker"]))
    return {
        "schema": first["schema"],
        "time": max(each["time"] for each in everyone),
        "name": first["name"],
        "worker": None,
        "state": _state(snapshots, master),
        "process": first["process"],
        "connections": {
            "open": sum(each["connections"]["open"] for each in everyone),
            "outbox": sum(each["connections"]["outbox"] for each in everyone),
            "read": sum(each["connections"]["read"] for each in everyone),
            "written": sum(each["connections"]["written"] for each in everyone),
            "by_protocol": rarer(_sum(each["connections"]["by_protocol"] for each in everyone), PROTOCOLS),
            "list": _joined(everyone, lambda each: each["connections"]["list"], _interest),
        },
        "listeners": _listeners(everyone),
        "timers": {
            "pending": sum(each["timers"]["pending"] for each in everyone),
            "list": _joined(everyone, lambda each: each["timers"]["list"], lambda timer: timer["due"]),
        },
        "threads": _threads(everyone),
        "slow": _slow(everyone),
        "errors": _errors(everyone),
        "log": dict(_sum(each["log"] for each in everyone)),
        "loop": _loop([*snapshots, *past] or everyone),
        "workers": workers,
        "processes": {each["worker"]: each["process"] for each in snapshots if each["worker"] is not None},
    }


def _state(snapshots: Sequence[Snapshot], master: Snapshot | None) -> str:
    """Return the state of all: they serve as long as one of them does, unless the master is about to end."""
    if master is not None and (master["state"] not in _SERVING or not snapshots):
        return "starting" if master["state"] in _SERVING else master["state"]
    states = [each["state"] for each in snapshots]
    return next((state for state in ("ready", "reloading", "starting") if state in states), "draining")


def _worker(each: Snapshot, restarts: Mapping[str, int]) -> Worker:
    name = each["worker"] or ""
    process = each["process"]
    recent = [late for at, late in each["loop"]["lag"]["samples"] if at >= each["time"] - _RECENT_SECONDS]
    return {
        "worker": name,
        "state": each["state"],
        "pid": process["pid"],
        "uptime": process["uptime"],
        "connections": each["connections"]["open"],
        "cpu": process["cpu_user"] + process["cpu_system"],
        "rss": process["rss"],
        "lag": max(recent, default=None),
        "restarts": restarts.get(name, 0),
        "problem": "",
    }


def _missing(name: str, why: str, restarts: Mapping[str, int]) -> Worker:
    return {
        "worker": name,
        "state": "missing",
        "pid": None,
        "uptime": None,
        "connections": None,
        "cpu": None,
        "rss": None,
        "lag": None,
        "restarts": restarts.get(name, 0),
        "problem": why,
    }


def _sum(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total


def _joined(
    everyone: Iterable[Snapshot], part: Callable[[Snapshot], list[Any]], key: Callable[[Any], Any]
) -> list[Any]:
    return sorted((row for each in everyone for row in part(each)), key=key)[:LISTED]


def _interest(each: Connection) -> tuple[int, int, float]:
    return -each["outbox"], -each["read"] - each["written"], -each["age"]


def _listeners(everyone: Iterable[Snapshot]) -> list[Listener]:
    """Return ports, those that several workers have as one."""
    ports: dict[tuple[str, str, str], Listener] = {}
    for each in everyone:
        for listener in each["listeners"]:
            key = (listener["kind"], listener["address"], listener["factory"])
            known = ports.get(key)
            if known is None:
                ports[key] = {**listener}
            else:
                known["accepted"] += listener["accepted"]
                known["open"] += listener["open"]
                known["worker"] = None  # it is not one worker's
    return list(ports.values())[:LISTED]


def _threads(everyone: Sequence[Snapshot]) -> Threads:
    pools = [each["threads"]["pool"] for each in everyone if each["threads"]["pool"] is not None]
    pool: Pool | None = None
    if pools:
        pool = {
            "minimum": sum(each["minimum"] for each in pools),
            "maximum": sum(each["maximum"] for each in pools),
            "threads": sum(each["threads"] for each in pools),
            "busy": sum(each["busy"] for each in pools),
            "queued": sum(each["queued"] for each in pools),
            "completed": sum(each["completed"] for each in pools),
        }
    return {
        "count": sum(each["threads"]["count"] for each in everyone),
        "pool": pool,
        "list": [row for each in everyone for row in each["threads"]["list"]][:LISTED],
    }


def _slow(everyone: Sequence[Snapshot]) -> Slow:
    thresholds = [each["slow"]["threshold"] for each in everyone if each["slow"]["threshold"] is not None]
    found = [call for each in everyone for call in each["slow"]["list"]]
    return {
        "threshold": min(thresholds, default=None),
        "count": sum(each["slow"]["count"] for each in everyone),
        "list": sorted(found, key=lambda call: -call["at"])[:KEPT],
    }


def _errors(everyone: Sequence[Snapshot]) -> Errors:
    found = [error for each in everyone for error in each["errors"]["list"]]
    return {
        "count": sum(each["errors"]["count"] for each in everyone),
        "by_type": rarer(_sum(each["errors"]["by_type"] for each in everyone), TYPES),
        "list": sorted(found, key=lambda error: -error["at"])[:KEPT],
    }


def _loop(everyone: Sequence[Snapshot]) -> Loop:
    """Return the loops of the workers: each count the sum of theirs, the lag that of whoever is latest."""
    loops = [each["loop"] for each in everyone]
    return {
        "turns": _added(loop["turns"] for loop in loops),
        "waits": _added(loop["waits"] for loop in loops),
        "busy": _added(loop["busy"] for loop in loops),
        "opened": _added(loop["opened"] for loop in loops),
        "closed": _added(loop["closed"] for loop in loops),
        "turn_times": _histogram([loop["turn_times"] for loop in loops]),
        "lag": _lag([loop["lag"] for loop in loops]),
    }


def _added(figures: Iterable[Any]) -> Any:
    known = [each for each in figures if each is not None]
    return sum(known) if known else None


def _histogram(histograms: Iterable[Histogram | None]) -> Histogram | None:
    """Return the sum of histograms that have the same bounds; processes of one release have."""
    total: Histogram | None = None
    for each in histograms:
        if each is None:
            continue
        if total is None:
            total = {"bounds": each["bounds"], "counts": list(each["counts"]), "sum": each["sum"]}
        elif total["bounds"] == each["bounds"]:
            total["counts"] = [ours + theirs for ours, theirs in zip(total["counts"], each["counts"], strict=True)]
            total["sum"] += each["sum"]
    return total


def _lag(lags: Sequence[Lag]) -> Lag:
    interval = lags[0]["interval"]
    latest: dict[int, tuple[float, float]] = {}
    for lag in lags:
        for at, late in lag["samples"]:
            step = int(at / interval)
            if step not in latest or latest[step][1] < late:
                latest[step] = (at, late)
    summed = _histogram(lag["histogram"] for lag in lags)
    assert summed is not None, "each lag has one"
    return {
        "interval": interval,
        "histogram": summed,
        "max": max(lag["max"] for lag in lags),
        "samples": [latest[step] for step in sorted(latest)][-SAMPLES:],
    }
