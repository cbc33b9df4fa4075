"""Forking: a process that is forked off does not get the reactors of the one it was forked off.

The two would share one poller in the kernel, take each other's events, and serve the same connections. So in the new process
every reactor is given up at once: its copies of the descriptors are closed, its signal handlers put back, nobody is told,
and whatever is asked of it from then on raises :class:`torsion.internet.error.WrongProcessError`.  There may be a
new one.  The old process notices nothing of all that.

A program that becomes a daemon by forking, so that the process that goes on is the new one, says so by
``IReactorDaemonize``: its reactor goes along, and the old process closes its copies at its end as quietly.
"""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from torsion.internet import _current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["stays", "watch"]

_reactors: WeakKeyDictionary[Any, Callable[[Any], object]] = WeakKeyDictionary()
_going_along: WeakSet[Any] = WeakSet()
_in_two_processes: WeakSet[Any] = WeakSet()


def watch(reactor: Any, give_up: Callable[[Any], object] | None = None) -> None:
    """Have *reactor* given up in processes that are forked off.

    :param give_up: called with it there, for a reactor that is none of torsion's own.
    """
    _reactors[reactor] = give_up or _give_up


def stays(reactor: Any, here: bool) -> bool:
    """Say whether *reactor* stays in this process, as it does at first, or goes along into one that is forked off.

    :returns: whether it stayed before.
    """
    before = reactor not in _going_along
    (_going_along.discard if here else _going_along.add)(reactor)
    return before


def _in_child() -> None:
    for reactor, give_up in list(_reactors.items()):
        if reactor not in _going_along:
            del _reactors[reactor]
            give_up(reactor)
    _in_two_processes.update(_going_along)


def _in_parent() -> None:
    _in_two_processes.update(_going_along)


def _at_exit() -> None:
    """Close what the other process has as well without a word to the poller that both know: it is the other's now."""
    for reactor in list(_in_two_processes):
        reactor.engine.abandon(True)


def _give_up(reactor: Any) -> None:
    """Do what is left to be done for a reactor that is another process's; nothing of it may reach that process."""
    reactor.engine.abandon()
    reactor._given_up()
    signals, reactor._signals = reactor._signals, None
    if signals is not None:
        with suppress(ValueError):  # it was another thread that forked, and its interpreter is not the main one
            signals.uninstall()
    reactor.running = reactor._started = reactor._stopping = reactor._fire_shutdown = False
    reactor._looping = False
    reactor.open_handles.clear()
    reactor.threadpool = None
    if reactor._entered:
        reactor._entered = False
        _current.forget(reactor)
    reactor.threadWaiters = type(reactor.threadWaiters)()  # those that waited were threads of the other process
    if _current.installed_reactor() is reactor:
        _current.set_installed(None)  # so that a new one can be installed


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_in_child, after_in_parent=_in_parent)
    atexit.register(_at_exit)
