"""Forking: in a process that is forked off while the reactor runs, its reactor is given up, as torsion's own reactors are.

Before it has run for the first time it goes along, for programs that fork themselves into the background; and so it does from
``beforeDaemonize`` to ``afterDaemonize``, and until a process that ``spawnProcess`` forks off becomes another program.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.fork import stays
from torsion.internet.reactors.fork import watch as _watch

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["going_along", "watch"]

_OF_PYTHON: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
"""The handlers that Python begins with, of the signals for which Twisted's reactors have one of their own."""


def watch(reactor: Any) -> None:
    """Have *reactor*, which has not run yet, given up in processes that are forked off once it does."""
    _watch(reactor, _give_up)
    stays(reactor, here=False)


@contextmanager
def going_along(reactor: Any) -> Iterator[None]:
    """Let *reactor* stay as it is in processes that are forked off in here."""
    before = stays(reactor, here=False)
    try:
        yield
    finally:
        stays(reactor, here=before)


def _give_up(reactor: Any) -> None:
    """Do what is left to be done for *reactor*, which is another process's; nothing of it may reach that process."""
    reactor.engine.abandon()
    with suppress(ValueError):  # it was another thread that forked, and its interpreter is not the main one
        for number, handler in _OF_PYTHON.items():
            if getattr(signal.getsignal(number), "__self__", None) is reactor:
                signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
    reactor.running = reactor._started = reactor._serving = False
    reactor.open_handles.clear()
    reactor._descriptors.forget()
    reactor.threadpool = None
