"""The way into the reactor's thread, and out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Callable


class IReactorFromThreads(Interface):
    """A reactor that other threads may call into."""

    def callFromThread(callable: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """Call something in the reactor's thread, soon. Safe from every thread and from signal handlers.

        It is the only way for another thread to use the reactor or anything that belongs to it. What one thread asks
        for is called in that order. An exception that the call raises is logged.

        :param callable: what to call; *args* and *kwargs* are handed to it. What it returns is dropped.
        """


class IReactorInThreads(Interface):
    """A reactor that can run blocking calls in threads of its own."""

    def callInThread(callable: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """Call something in a thread of the reactor's pool, as soon as one is free.

        An exception that the call raises is logged. To learn its result, use
        ``torsion.internet.threads.deferToThread``.

        :param callable: what to call; *args* and *kwargs* are handed to it. What it returns is dropped.
        """


class IReactorThreads(IReactorFromThreads, IReactorInThreads):
    """A reactor that works with threads in both directions and owns a pool of them."""

    def getThreadPool() -> Any:
        """Return the pool (a ``torsion.python.threadpool.ThreadPool``) that :meth:`callInThread` uses.

        It is made at the first call, started with the reactor and stopped with it.
        """

    def suggestThreadPoolSize(size: int) -> None:
        """Say how many threads the pool may have.

        :param size: the greatest number of threads at work at once; calls beyond it wait for their turn.
        """
