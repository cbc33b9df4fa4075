"""Runs coroutines of asyncio in a reactor's thread, for who does not know asyncio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from torsion.interop.asyncio.loop import ReactorLoop, loopOf

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

__all__ = ["LoopRunner", "runnerFor"]


class LoopRunner:
    """A :class:`torsion.web.asgi.runner.AsyncRunner` over an asyncio loop.

    :ivar loop: the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run coroutines in *loop*, in whose thread all methods are called."""
        self.loop = loop
        self._begin: Any = loop.begin if isinstance(loop, ReactorLoop) else loop.create_task
        self._tasks: set[asyncio.Task[Any]] = set()  # a loop keeps no strong references

    def start(
        self, coroutine: Coroutine[Any, Any, Any], done: Callable[[BaseException | None], object] | None = None
    ) -> asyncio.Task[Any]:
        """Run a coroutine.

        :param coroutine: the coroutine.
        :param done: called with what it has raised, or None; without it, errors are the coroutine's own
            business, and whoever starts it keeps what is returned.
        :returns: the task.
        """
        task = self.loop.create_task(coroutine)
        if done is None:
            return task
        self._tasks.add(task)

        def ended(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            done(asyncio.CancelledError() if task.cancelled() else task.exception())

        task.add_done_callback(ended)
        return task

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine whose errors are its own business; its first step is taken at once, if the loop can do that.

        :returns: the task, which the caller keeps.
        """
        task: asyncio.Task[Any] = self._begin(coroutine)
        return task

    def wait(self) -> tuple[Awaitable[None], Callable[[], object]]:
        """Return a future, and a function that has it done."""
        future: asyncio.Future[None] = self.loop.create_future()

        def wake() -> None:
            if not future.done():
                future.set_result(None)

        return future, wake


def runnerFor(reactor: Any) -> LoopRunner:
    """Return a runner in the loop that goes with *reactor*."""
    return LoopRunner(loopOf(reactor))
