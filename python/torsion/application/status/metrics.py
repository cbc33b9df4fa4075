"""A snapshot as metrics: the text format of Prometheus, and OpenMetrics for those who ask for it.

Names, types and units follow Prometheus' rules: base units (seconds, bytes), ``_total`` for counters, ``process_`` and ``python_``
where its own libraries have the same figures.  Labels have few values: where a program could make up more, the rest is counted
together (:mod:`torsion.application.status.watched`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torsion.application.status.shape import Histogram, Process, Snapshot

__all__ = ["OPENMETRICS", "PROMETHEUS", "metrics", "wants_openmetrics"]

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
"""The media type of Prometheus' text format."""

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
"""The media type of OpenMetrics 1.0."""

STATES = ("starting", "ready", "reloading", "draining")


def wants_openmetrics(accept: str) -> bool:
    """Tell whether a client prefers OpenMetrics, by what it accepts (RFC 9110, 12.5.1)."""
    best: dict[str, float] = {}
    for wish in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in wish.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
            elif (
                kind == "application/openmetrics-text" and parameter.startswith("version=") and parameter[8:] != "1.0.0"
            ):
                quality = min(quality, 0.0)
        best[kind] = max(best.get(kind, 0.0), quality)
    ours = best.get("application/openmetrics-text", 0.0)
    return ours > 0 and ours >= max(best.get("text/plain", 0.0), best.get("text/*", 0.0))


class _Writer:
    """Writes families of metrics, in one of the two formats."""

    def __init__(self, openmetrics: bool) -> None:
        self._openmetrics = openmetrics
        self._lines: list[str] = []

    def family(
        self, name: str, type: str, help: str, samples: Iterable[tuple[Mapping[str, str], float | None]], unit: str = ""
    ) -> None:
        """Write a family, unless none of its samples is known.  A counter's *name* goes without ``_total``."""
        known = [(labels, value) for labels, value in samples if value is not None]
        if known:
            self._head(name, type, help, unit)
            suffix = {"counter": "_total", "info": "_info"}.get(type, "")
            for labels, value in known:
                self._lines.append(f"{name}{suffix}{_labels(labels)} {_number(value)}")

    def histogram(self, name: str, help: str, histogram: Histogram | None) -> None:
        """Write a histogram of seconds."""
        if histogram is None:
            return
        self._head(name, "histogram", help, "seconds")
        total = 0
        for bound, count in zip([*histogram["bounds"], math.inf], histogram["counts"], strict=True):
            total += count
            self._lines.append(f"{name}_bucket{_labels({'le': _number(float(bound))})} {total}")
        self._lines.append(f"{name}_count {total}")
        self._lines.append(f"{name}_sum {_number(histogram['sum'])}")

    def _head(self, name: str, type: str, help: str, unit: str) -> None:
        family = name
        if not self._openmetrics:  # whose families are called as their samples are, and which has fewer types
            family = name + {"counter": "_total", "info": "_info"}.get(type, "")
            type = {"info": "gauge", "stateset": "gauge"}.get(type, type)
        self._lines.append(f"# HELP {family} {_help(help)}")
        self._lines.append(f"# TYPE {family} {type}")
        if unit and self._openmetrics:
            self._lines.append(f"# UNIT {family} {unit}")

    def text(self) -> str:
        """Return what was written."""
        end = ["# EOF"] if self._openmetrics else []
        return "\n".join([*self._lines, *end, ""])


def metrics(snapshot: Snapshot, *, openmetrics: bool = False) -> str:
    """Return a snapshot as text for Prometheus.

    :param snapshot: of a process, or of several that were merged; then figures of processes have a label ``worker``, which is
        empty for the master.
    :param openmetrics: write OpenMetrics instead.
    """
    write = _Writer(openmetrics)
    process = snapshot["process"]
    about = {"version": process["torsion"], "reactor": process["reactor"], "name": snapshot["name"]}
    write.family("torsion", "info", "Which torsion this is, and what it runs.", [(about, 1)])
    states = [({"torsion_state": state}, float(state == snapshot["state"])) for state in STATES]
    write.family("torsion_state", "stateset", "Whether the service is starting, ready, reloading or draining.", states)
    _connections(write, snapshot)
    _loop(write, snapshot)
    _found(write, snapshot)
    _workers(write, snapshot)
    _processes(write, snapshot)
    return write.text()


def _connections(write: _Writer, snapshot: Snapshot) -> None:
    connections = snapshot["connections"]
    by_protocol = [({"protocol": name}, count) for name, count in connections["by_protocol"].items()]
    write.family("torsion_connections", "gauge", "Open connections, by protocol.", by_protocol or [({}, 0)])
    write.family(
        "torsion_outbox_bytes",
        "gauge",
        "What waits to be sent on open connections.",
        [({}, connections["outbox"])],
        "bytes",
    )
    help = "What open connections have read so far; it shrinks as they close."
    write.family("torsion_connections_read_bytes", "gauge", help, [({}, connections["read"])], "bytes")
    help = "What open connections have sent so far; it shrinks as they close."
    write.family("torsion_connections_sent_bytes", "gauge", help, [({}, connections["written"])], "bytes")
    ports: dict[tuple[str, str], tuple[int, int]] = {}
    for each in snapshot["listeners"]:
        key = each["address"], each["kind"]
        before = ports.get(key, (0, 0))
        ports[key] = before[0] + each["accepted"], before[1] + each["open"]
    labelled = [({"listener": address, "kind": kind}, counts) for (address, kind), counts in ports.items()]
    accepted = [(labels, counts[0]) for labels, counts in labelled]
    write.family("torsion_accepted_connections", "counter", "Connections accepted, by port.", accepted)
    still = [(labels, counts[1]) for labels, counts in labelled]
    write.family("torsion_listener_connections", "gauge", "Open connections that a port has accepted, by port.", still)


def _loop(write: _Writer, snapshot: Snapshot) -> None:
    loop, threads = snapshot["loop"], snapshot["threads"]
    write.histogram(
        "torsion_loop_lag_seconds", "How late the event loop is, measured regularly.", loop["lag"]["histogram"]
    )
    write.histogram("torsion_loop_turn_seconds", "How long turns of the event loop took.", loop["turn_times"])
    write.family("torsion_loop_waits", "counter", "How often the event loop had nothing to do.", [({}, loop["waits"])])
    write.family("torsion_streams_opened", "counter", "Connections and pipes opened.", [({}, loop["opened"])])
    write.family("torsion_streams_closed", "counter", "Connections and pipes closed.", [({}, loop["closed"])])
    write.family("torsion_timers", "gauge", "Calls to come.", [({}, snapshot["timers"]["pending"])])
    write.family("torsion_threads", "gauge", "Threads that Python knows of.", [({}, threads["count"])])
    pool = threads["pool"]
    if pool is not None:
        write.family("torsion_threadpool_threads", "gauge", "Threads in the reactor's pool.", [({}, pool["threads"])])
        write.family("torsion_threadpool_busy_threads", "gauge", "Those at work.", [({}, pool["busy"])])
        write.family("torsion_threadpool_max_threads", "gauge", "How many there may be.", [({}, pool["maximum"])])
        write.family("torsion_threadpool_queued_calls", "gauge", "Calls that wait for one.", [({}, pool["queued"])])
        write.family("torsion_threadpool_calls", "counter", "Calls made by them.", [({}, pool["completed"])])


def _found(write: _Writer, snapshot: Snapshot) -> None:
    types = [({"type": name}, count) for name, count in snapshot["errors"]["by_type"].items()]
    write.family("torsion_unhandled_errors", "counter", "Errors that nobody handled, by type.", types or [({}, 0)])
    levels = [({"level": name}, count) for name, count in snapshot["log"].items()]
    write.family("torsion_log_events", "counter", "Events of the log, by level.", levels)
    slow = snapshot["slow"]
    if slow["threshold"] is not None:
        write.family("torsion_slow_calls", "counter", "Calls that kept the loop for too long.", [({}, slow["count"])])
        help = "How long is too long."
        write.family("torsion_slow_threshold_seconds", "gauge", help, [({}, slow["threshold"])], "seconds")


def _workers(write: _Writer, snapshot: Snapshot) -> None:
    workers = snapshot["workers"]
    up = [({"worker": each["worker"]}, float(each["state"] in ("ready", "reloading"))) for each in workers]
    write.family("torsion_worker_ready", "gauge", "Whether a worker serves.", up)
    restarts = [({"worker": each["worker"]}, each["restarts"]) for each in workers]
    write.family("torsion_worker_restarts", "counter", "How often a worker was started anew.", restarts)
    each_open = [({"worker": each["worker"]}, each["connections"]) for each in workers]
    write.family("torsion_worker_connections", "gauge", "Open connections, by worker.", each_open)


def _processes(write: _Writer, snapshot: Snapshot) -> None:
    processes: list[tuple[dict[str, str], Process]]
    if snapshot["workers"]:
        processes = [({"worker": ""}, snapshot["process"])]
        processes += [({"worker": name}, each) for name, each in snapshot["processes"].items()]
    else:
        processes = [({}, snapshot["process"])]

    def each(name: str, type: str, help: str, key: str, unit: str = "") -> None:
        write.family(name, type, help, [(labels, process[key]) for labels, process in processes], unit)  # type: ignore[literal-required]  # all of them are keys of Process

    cpu = [(labels, process["cpu_user"] + process["cpu_system"]) for labels, process in processes]
    write.family("process_cpu_seconds", "counter", "Processor time, of user and system.", cpu, "seconds")
    each("process_resident_memory_bytes", "gauge", "Memory that is in use.", "rss", "bytes")
    each("process_virtual_memory_bytes", "gauge", "Memory that is addressed.", "virtual", "bytes")
    each("process_start_time_seconds", "gauge", "When the process began, since the epoch.", "started", "seconds")
    each("process_open_fds", "gauge", "Open descriptors.", "descriptors")
    each("process_max_fds", "gauge", "How many there may be.", "descriptors_max")
    about = [
        ({**labels, "implementation": process["implementation"], "version": process["python"]}, 1.0)
        for labels, process in processes
    ]
    write.family("python", "info", "Which Python this is.", about)
    collected: dict[str, list[tuple[dict[str, str], float]]] = {"collections": [], "collected": [], "uncollectable": []}
    for labels, process in processes:
        for generation, collection in enumerate(process["gc"]):
            for key, samples in collected.items():
                samples.append(({**labels, "generation": str(generation)}, collection[key]))  # type: ignore[literal-required]  # as above
    write.family("python_gc_collections", "counter", "Collections, by generation.", collected["collections"])
    write.family("python_gc_objects_collected", "counter", "Objects collected, by generation.", collected["collected"])
    help = "Objects that could not be collected, by generation."
    write.family("python_gc_objects_uncollectable", "counter", help, collected["uncollectable"])


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_value(text)}"' for name, text in labels.items()) + "}"


_ESCAPES = dict.fromkeys((*range(32), 127, 0x85, 0x2028, 0x2029), "\ufffd")  # some readers take these for ends of lines
_ESCAPES |= {ord("\\"): "\\\\", ord("\n"): "\\n", ord('"'): '\\"'}


def _value(text: str) -> str:
    return text.translate(_ESCAPES)


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
