"""The reactor inside an asyncio event loop: the standard library's, uvloop's, or any other with ``add_reader``."""

from __future__ import annotations

import os
import weakref
from contextvars import copy_context
from typing import TYPE_CHECKING

from torsion.internet.reactors.hosted.driver import Driver
from torsion.internet.reactors.hosted.reactor import HostedReactor

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, TimerHandle
    from collections.abc import Callable

__all__ = ["AsyncioDriver", "AsyncioReactor", "install"]


class AsyncioDriver(Driver):
    """Drives a reactor by an asyncio event loop.

    :ivar loop: that loop.
    """

    hears_signals = True

    def __init__(self, eventloop: AbstractEventLoop | None = None) -> None:
        """Drive a reactor by *eventloop*: the one that runs in this thread if None, or else a new one, closed with this."""
        if eventloop is None:
            import asyncio

            try:
                eventloop = asyncio.get_running_loop()
            except RuntimeError:
                eventloop = asyncio.new_event_loop()
                weakref.finalize(self, _close, eventloop, os.getpid())
        self.loop = eventloop
        self._watched = -1
        self._context = copy_context()
        self._timer: TimerHandle | None = None

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        self._context = copy_context()  # all turns are taken in one, as they are where no other loop takes them
        try:
            self.loop.add_reader(descriptor, self._context.run, callback)
        except NotImplementedError:
            raise TypeError(
                f"{self.loop!r} cannot watch descriptors (it has no add_reader); use asyncio.SelectorEventLoop"
            ) from None
        self._watched = descriptor

    def unwatch(self) -> None:
        if not self.loop.is_closed():
            self.loop.remove_reader(self._watched)

    def set_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        self.clear_timer()
        self._timer = self.loop.call_later(seconds, self._context.run, callback)

    def clear_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def running(self) -> bool:
        return self.loop.is_running()

    def run(self) -> None:
        self.loop.run_forever()

    def stop(self) -> None:
        self.loop.stop()


class AsyncioReactor(HostedReactor):
    """A reactor inside an asyncio event loop.  Futures and Deferreds meet by ``Deferred.asFuture`` and ``Deferred.fromFuture``."""

    driver: AsyncioDriver

    def __init__(self, eventloop: AbstractEventLoop | None = None) -> None:
        """Make a reactor.

        :param eventloop: the loop; the one that runs in this thread if None, or else a new one of the reactor's own.
        """
        super().__init__(AsyncioDriver(eventloop))


_of_others: list[AbstractEventLoop] = []
"""Loops that were made before a fork, and must not even be collected in the process that came of it."""


def _close(loop: AbstractEventLoop, process: int) -> None:
    """Close a loop in the process that made it.  In another, that would take it out of the poller that both share."""
    if os.getpid() == process:
        loop.close()
    else:
        _of_others.append(loop)


def install(eventloop: AbstractEventLoop | None = None) -> AsyncioReactor:
    """Make such a reactor the process's, ``torsion.internet.reactor``.

    :param eventloop: as for :class:`AsyncioReactor`.
    :returns: the reactor.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is one.
    """
    from torsion.internet.reactors.choose import install_new

    return install_new(AsyncioReactor, eventloop)
