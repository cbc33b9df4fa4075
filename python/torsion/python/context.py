"""Values that travel down a call, and go when it returns.

``call({Key: value}, function)`` calls ``function``; in there, ``get(Key)`` returns ``value``.  Each thread has a stack of its
own; a ``torsion.python.threadpool.ThreadPool`` hands the caller's values on to its threads.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import local
from typing import Any, ParamSpec, TypeVar

__all__ = [
    "ContextTracker",
    "ThreadedContextTracker",
    "call",
    "defaultContextDict",
    "get",
    "installContextTracker",
    "setDefault",
    "theContextTracker",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")

defaultContextDict: dict[Any, Any] = {}
"""What every context starts with."""

setDefault = defaultContextDict.__setitem__
"""``setDefault(key, value)``: the value of *key* wherever no call has set another."""


class ContextTracker:
    """The contexts of one thread, innermost last.

    :ivar contexts: dictionaries, each with the values of those before it.
    """

    def __init__(self) -> None:
        self.contexts: list[dict[Any, Any]] = [defaultContextDict]

    def callWithContext(
        self, newContext: dict[Any, Any], func: Callable[_P, _T], *args: _P.args, **kw: _P.kwargs
    ) -> _T:
        """Call *func* with the values of *newContext* on top of the present ones; return what it returns."""
        self.contexts.append({**self.contexts[-1], **newContext})
        try:
            return func(*args, **kw)
        finally:
            self.contexts.pop()

    def getContext(self, key: Any, default: Any = None) -> Any:
        """Return the present value of *key*, or *default*."""
        return self.contexts[-1].get(key, default)


class _Local(local):
    def __init__(self) -> None:
        self.tracker = ContextTracker()


class ThreadedContextTracker:
    """A ``ContextTracker`` for each thread."""

    def __init__(self) -> None:
        self._local = _Local()

    def currentContext(self) -> ContextTracker:
        """Return the tracker of the thread that calls."""
        return self._local.tracker

    def callWithContext(self, ctx: dict[Any, Any], func: Callable[_P, _T], *args: _P.args, **kw: _P.kwargs) -> _T:
        """Call *func* with the values of *ctx* on top of the present ones; return what it returns."""
        return self._local.tracker.callWithContext(ctx, func, *args, **kw)

    def getContext(self, key: Any, default: Any = None) -> Any:
        """Return the present value of *key* in the thread that calls, or *default*."""
        return self._local.tracker.getContext(key, default)


theContextTracker = ThreadedContextTracker()
"""The tracker that ``call`` and ``get`` ask."""


def call(ctx: dict[Any, Any], func: Callable[_P, _T], *args: _P.args, **kw: _P.kwargs) -> _T:
    """Call *func* with the values of *ctx* on top of the present ones; return what it returns.

    :raise Exception: whatever *func* raises.
    """
    return theContextTracker.callWithContext(ctx, func, *args, **kw)


def get(key: Any, default: Any = None) -> Any:
    """Return the present value of *key* in the thread that calls, or *default*."""
    return theContextTracker.getContext(key, default)


def installContextTracker(ctr: ThreadedContextTracker) -> None:
    """Make ``call`` and ``get`` ask *ctr* from now on."""
    global theContextTracker
    theContextTracker = ctr
