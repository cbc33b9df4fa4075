"""What a test leaves behind: connections, ports, calls to come, threads and failures that nobody handled."""

from __future__ import annotations

import gc
import sys
import threading
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torsion.internet.defer import _debug, getDebugging, setDebugging
from torsion.logger import LogLevel, globalLogPublisher

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Leak", "LeftBehindError", "Watch"]

TURNS = 10
"""How many turns of the reactor are waited for what is closing: a connection that was told to close needs two or three."""

PATIENCE = 0.2
"""How many seconds are waited, in all, for a thread to end or a connection to close whose other end is in this process as well."""

RUNNERS = (
    "/_pytest/", "/pytest/__main__.py", "/pluggy/", "/unittest/case.py", "/unittest/suite.py", "/unittest/runner.py", "/unittest/main.py",
    "/torsion/testing/", "/torsion/pytest_plugin",
    "/torsion/internet/defer/", "/torsion/internet/endpoints/", "<frozen runpy>",
)  # fmt: skip
"""Parts of the names of files whose frames tell nothing of where something was made."""

MAKERS = (
    "adoptDatagramPort", "adoptStreamConnection", "adoptStreamPort", "callLater", "connectSSL", "connectTCP", "connectUNIX",
    "connectUNIXDatagram", "listenMulticast", "listenSSL", "listenTCP", "listenUDP", "listenUNIX", "listenUNIXDatagram",
    "spawnProcess",
)  # fmt: skip
"""The reactor's methods that make what may be left behind."""


@dataclass(frozen=True)
class Leak:
    """Something that was left behind.

    :ivar kind: ``delayed call``, ``port``, ``connection``, ``thread`` or ``unhandled error``.
    :ivar what: which one.
    :ivar where: where it was made, as a stack of lines; empty if that is not known.
    """

    kind: str
    what: str
    where: str = ""

    def __str__(self) -> str:
        made = f"\n    made here:\n{self.where}" if self.where else ""
        return f"{self.kind}: {self.what}{made}"


class LeftBehindError(AssertionError):
    """A test left something behind.

    :ivar leaks: what.
    """

    def __init__(self, leaks: list[Leak]) -> None:
        self.leaks = leaks
        super().__init__("the test left behind:\n" + "\n".join(f"  {leak}" for leak in leaks))


class Watch:
    """Looks at a reactor, at threads and at the log while a test runs.

    :ivar reactor: whose calls, ports and connections are looked at; None for none.
    :ivar failures: failures that were logged and not flushed.
    """

    def __init__(self, reactor: Any = None) -> None:
        self.reactor = reactor
        self.failures: list[Any] = []
        self._events: list[dict[str, Any]] = []
        self._made: dict[int, tuple[Any, str]] = {}
        self._wrapped: dict[str, Any] = {}

    # --- beginning and end -------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin to look."""
        self._debugging = getDebugging()
        setDebugging(True)
        self._hidden, _debug.hidden = _debug.hidden, RUNNERS
        self._threads = set(threading.enumerate())
        self._start_thread = threading.Thread.start
        threading.Thread.start = self._thread_start()  # type: ignore[method-assign, assignment]  # undone by end()
        globalLogPublisher.addObserver(self._observe)
        if self.reactor is not None:
            self.attach(self.reactor)

    def attach(self, reactor: Any) -> None:
        """Look at *reactor* as well: one that has been made since."""
        self.reactor = reactor
        if reactor is not None:
            self._calls = set(map(id, self.reactor.getDelayedCalls()))
            self._handles = set(getattr(self.reactor, "open_handles", ()))
            self._streams = self._open_streams()
            self._wrap()

    def end(self) -> list[Leak]:
        """Look no more, close what was left behind, and return it."""
        leaks = [] if self.reactor is None else self._reactor_leaks()
        threading.Thread.start = self._start_thread  # type: ignore[method-assign]  # as it was
        leaks += self._thread_leaks()
        self._unwrap()
        gc.collect()  # a Deferred in a cycle tells of its failure when it goes
        globalLogPublisher.removeObserver(self._observe)
        setDebugging(self._debugging)
        _debug.hidden = self._hidden
        leaks += [_unhandled(event) for event in self._events]
        self._made.clear()
        return leaks

    def check(self) -> None:
        """Call :meth:`end`, and raise what it returns.

        :raises LeftBehindError: if anything was left behind.
        """
        leaks = self.end()
        if leaks:
            raise LeftBehindError(leaks)

    def flush(self, *kinds: type[BaseException]) -> list[Any]:
        """Return the failures that were logged so far, all or those of some classes of errors, and forget them."""
        gc.collect()
        flushed = [event for event in self._events if not kinds or event["log_failure"].check(*kinds)]
        self._events = [event for event in self._events if event not in flushed]
        return [event["log_failure"] for event in flushed]

    # --- where things are made ---------------------------------------------------------------------------------------

    def _observe(self, event: dict[str, Any]) -> None:
        if event.get("log_failure") is not None and event.get("log_level") in (LogLevel.critical, LogLevel.error, None):
            self._events.append(event)

    def _wrap(self) -> None:
        for name in MAKERS:
            method = getattr(self.reactor, name, None)
            if method is not None:
                self._wrapped[name] = self.reactor.__dict__.get(name)
                self.reactor.__dict__[name] = self._recording(method)

    def _unwrap(self) -> None:
        for name, method in self._wrapped.items():
            if method is None:
                self.reactor.__dict__.pop(name, None)
            else:
                self.reactor.__dict__[name] = method
        self._wrapped.clear()

    def _recording(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*args: Any, **kw: Any) -> Any:
            made = method(*args, **kw)
            self._made[id(made)] = made, _stack()
            return made

        return recorded

    def _thread_start(self) -> Callable[[threading.Thread], None]:
        start = self._start_thread

        def recorded(thread: threading.Thread) -> None:
            self._made[id(thread)] = thread, _stack()
            start(thread)

        return recorded

    def _where(self, thing: object) -> str:
        made = self._made.get(id(thing))
        return "" if made is None else made[1]

    # --- what is left ------------------------------------------------------------------------------------------------

    def _open_streams(self) -> int:
        figures = self.reactor.engine.statistics() if hasattr(self.reactor, "engine") else {}
        return int(figures.get("streams_opened", 0) - figures.get("streams_closed", 0))

    def _is_clean(self) -> bool:
        reactor = self.reactor
        return self._open_streams() <= self._streams and set(getattr(reactor, "open_handles", ())) <= self._handles

    def _reactor_leaks(self) -> list[Leak]:
        reactor = self.reactor
        for turn in range(TURNS):
            reactor.iterate(0 if turn < TURNS // 2 else 2 * PATIENCE / TURNS)
            if turn and self._is_clean():
                break
        calls = [call for call in reactor.getDelayedCalls() if id(call) not in self._calls and call.active()]
        leaks = [Leak("delayed call", str(call), self._where(call)) for call in calls]
        for call in calls:
            call.cancel()
        left = [each for each in getattr(reactor, "open_handles", ()) if each not in self._handles]
        leaks += [Leak("port", repr(each), self._where(each)) for each in left]
        leaks += self._connection_leaks()
        for handle in left:
            self._close(handle)
        reactor.iterate(0)
        return leaks + self._pool_leaks()

    def _connection_leaks(self) -> list[Leak]:
        count = self._open_streams() - self._streams
        if count <= 0:
            return []
        found = [each for each in gc.get_objects() if _is_stream(each) and self._is_ours(each)]
        leaks = [Leak("connection", _named(each), self._where(getattr(each, "owner", None))) for each in found]
        for each in found:
            each.abortConnection()
        if not leaks:
            leaks = [Leak("connection", f"{count} that cannot be found any more")]
        for _ in range(TURNS // 2):
            self.reactor.iterate(0)
        return leaks

    def _is_ours(self, stream: Any) -> bool:
        owner = getattr(stream, "owner", None)
        known = self._made.get(id(owner))
        return getattr(owner, "reactor", None) is self.reactor and (known is not None or owner not in self._handles)

    def _close(self, handle: Any) -> None:
        from torsion.internet.error import ConnectionLost
        from torsion.python.failure import Failure

        handle.abandon(Failure(ConnectionLost("the test that made it is over")))

    def _pool_leaks(self) -> list[Leak]:
        """End the reactor's threads, unless one is at work: that would be to wait for it."""
        pool = getattr(self.reactor, "threadpool", None)
        if pool is None:
            return []
        if pool.working:
            return [Leak("thread", f"{each.name} of the reactor's pool is at work") for each in pool.working]
        self.reactor._stopThreadPool()  # Twisted's test runner calls it by this name, too
        return []

    def _thread_leaks(self) -> list[Leak]:
        leaks = []
        for thread in set(threading.enumerate()) - self._threads:
            if id(thread) not in self._made:
                continue  # it was not made by a thread of Python's, or not while this looked
            thread.join(PATIENCE)
            if thread.is_alive():
                leaks.append(Leak("thread", repr(thread), self._where(thread)))
        return leaks


def _is_stream(thing: object) -> bool:
    return hasattr(type(thing), "abortConnection") and hasattr(type(thing), "statistics") and _is_open(thing)


def _is_open(stream: Any) -> bool:
    try:
        return bool(stream.connected) and not stream.disconnected
    except Exception:  # noqa: BLE001 - whatever it is, it is no connection
        return False


def _named(stream: Any) -> str:
    """Return what a connection is called: whose it is, and with whom."""
    return f"{stream.protocol!r} from {stream.getHost()} to {stream.getPeer()}"


def _unhandled(event: dict[str, Any]) -> Leak:
    failure = event["log_failure"]
    stacks = event.get("debugInfo") or event.get("log_format", "")
    where = stacks.rstrip() if "\n" in str(stacks) else failure.getTraceback()
    return Leak("unhandled error", f"{failure.type.__name__}: {failure.getErrorMessage()}", where)


def _stack() -> str:
    """Return where the program is, without the frames of this module and of test runners."""
    frames = traceback.extract_stack(sys._getframe(2))
    own = [each for each in frames if not any(part in each.filename.replace("\\", "/") for part in RUNNERS)]
    return "".join(traceback.format_list(own[-6:])).rstrip()
