"""Which callbacks keep a reactor from everything else: a thread that watches, and samples their stacks."""

from __future__ import annotations

import sys
from threading import Event, Thread, current_thread, get_ident
from time import monotonic
from traceback import StackSummary
from typing import TYPE_CHECKING, Any, NamedTuple

from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["SlowCallback", "SlowCallbacks"]

_log = Logger("torsion.internet.reactors.slow")

FINENESS = 8
"""How often the thread looks within the threshold: so much, an eighth, may be missing of what is told of a duration."""

SHORTEST_LOOK, LONGEST_LOOK = 0.001, 0.05
"""How many seconds it lets pass between two looks at least, as each needs the interpreter for a moment, and at most."""

_LOOPS = frozenset(("mainLoop", "iterate", "_turn", "_serve"))
"""The functions of reactors over the native engine that take turns: what is called from there is a callback."""

_IN_MEMORY = "torsion.internet.reactors.memory."
"""Where all that does so for a reactor in memory is."""


class SlowCallback(NamedTuple):
    """One thing that a reactor did, and that took long: a timer, a call from a thread, what came in at one connection."""

    name: str
    """What was called: ``module.qualified_name`` of the function."""
    duration: float
    """How many seconds it took; as long as it goes on, how many it has taken by now."""
    stack: StackSummary
    """What it was doing when it was noticed, the callback itself first; the reactor's own frames are left out."""

    def __str__(self) -> str:
        return f"{self.name} took {self.duration:.3f} s; its stack:\n{''.join(self.stack.format())}"


class SlowCallbacks:
    """Watches a reactor for callbacks that take long.

    Nothing else is served while a callback runs, so one that computes, or waits for something, delays all others.  While this is not
    started there is no cost; while it is, a thread looks at the reactor some :data:`FINENESS` times in each threshold.

    :ivar running: whether it watches.
    """

    def __init__(
        self,
        reactor: Any,
        threshold: float,
        report: Callable[[SlowCallback], object],
        noticed: Callable[[SlowCallback], object] | None = None,
    ) -> None:
        """Make one, which does not watch yet.

        :param reactor: a reactor of torsion's (``IReactorInspection``).
        :param threshold: how many seconds are long.  What takes a little longer may go unnoticed, by no more than an eighth of this
            or 50 milliseconds; what takes less is never told.
        :param report: called in the reactor's thread, once for each slow callback, after that has ended.  What it raises is logged.
        :param noticed: called in the watching thread as soon as one is noticed, while it goes on; the only way to hear of one that
            never ends.  What it raises is logged.
        :raises ValueError: if *threshold* is not a number above 0.
        :raises TypeError: if the reactor cannot be watched, or *report* cannot be called.
        """
        if not 0 < threshold < float("inf"):
            raise ValueError(f"a threshold is a number of seconds above 0, not {threshold!r}")
        if not callable(report):
            raise TypeError(f"report must be callable with a SlowCallback, unlike {report!r}")
        self._beat: Callable[[], int | None] = getattr(getattr(reactor, "engine", None), "beat", None)  # type: ignore[assignment]  # looked at next
        if self._beat is None:
            raise TypeError(f"{reactor!r} cannot be watched: it is no reactor of torsion's")
        self.threshold = threshold
        self._reactor = reactor
        self._report = report
        self._noticed = noticed
        self._home: int | None = None  # the reactor's thread
        self._thread: Thread | None = None
        self._over = Event()

    @property
    def running(self) -> bool:
        """Whether it watches."""
        return self._thread is not None

    def start(self) -> None:
        """Begin to watch; for any thread, before or while the reactor runs.  Does nothing if it watches already."""
        if self._thread is None:
            self._over = Event()
            self._thread = Thread(target=self._watch, args=(self._over,), name="torsion slow callbacks", daemon=True)
            self._reactor.callFromThread(self._come_home)
            self._thread.start()

    def stop(self) -> None:
        """Watch no more; the thread has ended when this returns.  Does nothing if it does not watch.

        A slow callback that goes on at that time is not reported.
        """
        thread, self._thread = self._thread, None
        self._over.set()
        if thread is not None and thread is not current_thread():
            thread.join()

    def _come_home(self) -> None:
        self._home = get_ident()

    # --- in the watching thread --------------------------------------------------------------------------------------

    def _watch(self, over: Event) -> None:
        look = min(max(self.threshold / FINENESS, SHORTEST_LOOK), LONGEST_LOOK)
        last: int | None = None  # what was being done
        since = 0.0  # when that was seen for the first time
        slow: SlowCallback | None = None
        while not over.wait(look):
            beat, now = self._beat(), monotonic()
            if beat is None or beat != last:
                if slow is not None:
                    self._reactor.callFromThread(self._tell, self._report, slow._replace(duration=now - since))
                    slow = None
                last, since = beat, now
            elif slow is None and now - since >= self.threshold:
                slow = self._sample(now - since)
                if self._beat() != beat:
                    slow = None  # it has just ended, and the stack may be another one's
                elif slow is not None and self._noticed is not None:
                    self._tell(self._noticed, slow)

    def _sample(self, duration: float) -> SlowCallback | None:
        """Look at what the reactor's thread is doing; None if it is no callback of the program's."""
        frame = sys._current_frames().get(self._home) if self._home is not None else None
        frames: list[FrameType] = []
        while frame is not None and not _takes_turns(frame):
            frames.append(frame)
            frame = frame.f_back
        if not frames or frame is None:
            return None
        outermost = frames[-1]
        stack = StackSummary.extract(((each, each.f_lineno) for each in reversed(frames)), lookup_lines=False)
        name = f"{outermost.f_globals.get('__name__', '?')}.{outermost.f_code.co_qualname}"
        return SlowCallback(name, duration, stack)

    def _tell(self, whom: Callable[[SlowCallback], object], slow: SlowCallback) -> None:
        try:
            whom(slow)
        except Exception:  # noqa: BLE001 - whatever it is, watching goes on
            _log.failure("Unhandled error in {whom!r}, which was told of a slow callback", whom=whom)


def _takes_turns(frame: FrameType) -> bool:
    """Tell whether a frame is a reactor's own."""
    module = frame.f_globals.get("__name__", "")
    if module.startswith(_IN_MEMORY):
        return True
    return frame.f_code.co_name in _LOOPS and module in (
        "torsion.internet.reactors.base",
        "torsion.internet.reactors.hosted.reactor",
        "torsion.interop.twisted.reactor",
    )
