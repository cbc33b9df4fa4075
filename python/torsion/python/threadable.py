"""Which thread does the I/O, and methods that one thread at a time may be in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock, get_ident
from typing import Any, Concatenate, ParamSpec, TypeVar

__all__ = [
    "DummyLock",
    "XLock",
    "getThreadID",
    "init",
    "ioThread",
    "isInIOThread",
    "registerAsIOThread",
    "synchronize",
    "threaded",
    "unpickle_lock",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")

threaded = True
"""Whether threads are used: Python without threads is no more."""

ioThread: int | None = None
"""The identifier of the thread that runs the process's default reactor, once it runs."""


class DummyLock:
    """Kept for compatibility: a lock that does not lock, for Python without threads."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (unpickle_lock, ())


class XLock:
    """A re-entrant lock that can be pickled; the copy is a new lock, held by nobody."""

    def __init__(self) -> None:
        lock = RLock()
        self.acquire = lock.acquire
        self.release = lock.release

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    def __reduce__(self) -> tuple[Any, ...]:
        return (unpickle_lock, ())


def unpickle_lock() -> XLock:
    """Return a new lock, for one that was pickled."""
    return XLock()


# Guards the making of an object's lock, on the first call of a synchronized method; never held while one runs.
_making = RLock()


def _synchronized(method: Callable[Concatenate[Any, _P], _T]) -> Callable[Concatenate[Any, _P], _T]:
    @wraps(method)
    def locked(self: Any, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        lock = self.__dict__.get("_threadable_lock")
        if lock is None:
            with _making:
                lock = self.__dict__.setdefault("_threadable_lock", XLock())
        with lock:
            return method(self, *args, **kwargs)

    return locked


def synchronize(*klasses: type) -> None:
    """Let only one thread at a time into the methods that each class names in its list ``synchronized``.

    All those methods of one object share one re-entrant lock.
    """
    for klass in klasses:
        for name in getattr(klass, "synchronized", ()):
            setattr(klass, name, _synchronized(getattr(klass, name)))


def init(with_threads: bool | int = True) -> None:
    """Do nothing; threads need no preparation any more.

    :raise RuntimeError: if *with_threads* is false.
    """
    if not with_threads:
        raise RuntimeError("threads cannot be switched off")


def getThreadID() -> int:
    """Return the identifier of the thread that calls."""
    return get_ident()


def isInIOThread() -> bool:
    """Return whether this is the thread that was last registered with ``registerAsIOThread``."""
    return ioThread == get_ident()


def registerAsIOThread() -> None:
    """Declare the thread that calls to be the one that does I/O; a reactor calls this when it starts to run."""
    global ioThread
    ioThread = get_ident()
