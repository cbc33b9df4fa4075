"""The shape of a snapshot: what ``/status.json`` serves.  ``docs/status.md`` says the same to those who read it.

Times are seconds since the epoch, durations seconds, sizes bytes, as floats or integers of JSON.  Lists are bounded, the totals
beside them are exact.  Texts come from programs and peers: they may hold anything that is text.
"""

from __future__ import annotations

from typing import TypedDict

__all__ = [
    "SCHEMA",
    "Collection",
    "Connection",
    "Connections",
    "Error",
    "Errors",
    "Histogram",
    "Lag",
    "Listener",
    "Loop",
    "Pool",
    "Process",
    "Slow",
    "SlowCall",
    "Snapshot",
    "Thread",
    "Threads",
    "Timer",
    "Timers",
    "Worker",
]

SCHEMA = 1
"""The version of this shape: raised when something is taken away or changes its meaning, not when something is added."""


class Histogram(TypedDict):
    """How often something took how long."""

    bounds: list[float]
    """The upper ends of all buckets but the last, which has none; each belongs to its bucket."""
    counts: list[int]
    """How many there were in each bucket, one more than there are bounds."""
    sum: float
    """How long all of them took together."""


class Connection(TypedDict):
    """One connection, of either direction."""

    worker: str | None
    """Which worker has it; None if there are no workers."""
    kind: str
    """``TCP``, ``TCP+TLS`` or ``UNIX``."""
    peer: str
    host: str
    protocol: str
    """The class of the protocol."""
    listener: str
    """Where it was accepted; empty if this side has opened it."""
    age: float
    read: int
    written: int
    outbox: int
    """How much is written that the peer's system has not taken yet."""


class Connections(TypedDict):
    """All connections of the program; those of the command itself, to this page among them, are left out."""

    open: int
    outbox: int
    read: int
    """How much was read by connections that are open."""
    written: int
    by_protocol: dict[str, int]
    """How many connections have which protocol; the rarer ones together under ``(others)``."""
    list: list[Connection]
    """The first ones by outbox, then by what they have transferred, then by age."""


class Listener(TypedDict):
    """A port that listens."""

    worker: str | None
    kind: str
    """``TCP``, ``TLS`` or ``UNIX``."""
    address: str
    factory: str
    accepted: int
    """How many connections it has accepted since it was opened."""
    open: int
    """How many of these are still open."""


class Timer(TypedDict):
    """A call to come."""

    worker: str | None
    call: str
    due: float
    """In how many seconds; less than nothing if it is late."""


class Timers(TypedDict):
    """All calls to come."""

    pending: int
    list: list[Timer]
    """The first ones by time."""


class Thread(TypedDict):
    """A thread of the process."""

    worker: str | None
    name: str
    daemon: bool


class Pool(TypedDict):
    """The reactor's pool of threads."""

    minimum: int
    maximum: int
    threads: int
    busy: int
    queued: int
    completed: int


class Threads(TypedDict):
    """All threads that Python knows of."""

    count: int
    pool: Pool | None
    """None before anything was called in a thread."""
    list: list[Thread]


class SlowCall(TypedDict):
    """Something that has kept the loop from everything else."""

    worker: str | None
    at: float
    seconds: float
    call: str
    stack: str


class Slow(TypedDict):
    """What ``--slow`` has found."""

    threshold: float | None
    """From how many seconds on; None if nobody looks."""
    count: int
    list: list[SlowCall]
    """The last ones, the latest first."""


class Error(TypedDict):
    """An error that nobody handled."""

    worker: str | None
    at: float
    type: str
    message: str
    text: str
    """The log's words."""
    traceback: str


class Errors(TypedDict):
    """All errors that nobody handled."""

    count: int
    by_type: dict[str, int]
    """How many of which type; types that came after many others under ``(others)``."""
    list: list[Error]
    """The last ones, the latest first."""


class Lag(TypedDict):
    """How late the loop is for what it was to do at a certain time."""

    interval: float
    """How often it is measured."""
    histogram: Histogram
    max: float
    """The longest so far."""
    samples: list[tuple[float, float]]
    """The last ones: when, and how late."""


class Loop(TypedDict):
    """The event loop; what an engine does not count is None."""

    turns: int | None
    waits: int | None
    """How many times it had nothing to do."""
    busy: float | None
    """How long it was at work."""
    opened: int | None
    """How many streams, connections and pipes, were opened so far."""
    closed: int | None
    turn_times: Histogram | None
    lag: Lag


class Collection(TypedDict):
    """A generation of the garbage collector."""

    collections: int
    collected: int
    uncollectable: int


class Process(TypedDict):
    """The process; what the system does not tell is None."""

    pid: int
    started: float
    uptime: float
    cpu_user: float
    cpu_system: float
    rss: int | None
    virtual: int | None
    descriptors: int | None
    descriptors_max: int | None
    gc: list[Collection]
    """From the youngest generation to the oldest."""
    reactor: str
    torsion: str
    python: str
    implementation: str
    platform: str


class Worker(TypedDict):
    """One worker, as the page of all of them shows it."""

    worker: str
    state: str
    """As of a snapshot, or ``missing`` if it does not answer."""
    pid: int | None
    uptime: float | None
    connections: int | None
    cpu: float | None
    rss: int | None
    lag: float | None
    """The longest in the last seconds."""
    restarts: int
    problem: str
    """Why it does not answer."""


class Snapshot(TypedDict):
    """A process, or several that serve together, at one moment."""

    schema: int
    time: float
    name: str
    worker: str | None
    state: str
    """``starting``, ``ready``, ``reloading`` or ``draining``."""
    process: Process
    """With several workers, that of the master."""
    connections: Connections
    listeners: list[Listener]
    timers: Timers
    threads: Threads
    slow: Slow
    errors: Errors
    log: dict[str, int]
    """How many events of which level were logged."""
    loop: Loop
    workers: list[Worker]
    processes: dict[str, Process]
    """Those of the workers."""
