"""What runs applications: they are written for asyncio, which is not known here.

A runner is found among the plugins; ``torsion.interop.asyncio`` has the one that there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from zope.interface import Attribute, Interface, implementer

from torsion.plugin import IPlugin, getPlugins

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

__all__ = ["AsyncRunner", "IAsyncRunnerMaker", "RunnerMaker", "findRunner", "run_application"]


class AsyncRunner(Protocol):
    """Runs coroutines of another library's in the thread of a reactor, so that they see that library's loop running."""

    def start(
        self, coroutine: Coroutine[Any, Any, Any], done: Callable[[BaseException | None], object] | None = None
    ) -> Any:
        """Run a coroutine, from the next turn on.

        :param coroutine: the coroutine.
        :param done: called when it has ended, in the reactor's thread: with what it has raised, or None.  Without it, the
            coroutine deals with its own errors, and what is returned has to be kept as long as it runs.
        :returns: an object with ``cancel()``.
        """

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine that deals with its own errors; its first step may be taken before this returns.

        A runner need not have this: ``start`` is called then.

        :param coroutine: the coroutine.
        :returns: what ``start`` does, to be kept as long as it runs.
        """

    def wait(self) -> tuple[Awaitable[None], Callable[[], object]]:
        """Return what a coroutine that is run can wait for, and a function that ends the waiting; to call it twice is nothing."""


class IAsyncRunnerMaker(Interface):
    """A plugin that makes runners."""

    name = Attribute("The library whose coroutines are run, as text: ``asyncio``.")

    def runnerFor(reactor: Any) -> AsyncRunner:  # noqa: N805 - an interface's methods have no self
        """Return a runner in the thread of *reactor*."""


@implementer(IPlugin, IAsyncRunnerMaker)
class RunnerMaker:
    """A maker that is loaded when it is used."""

    def __init__(self, name: str, maker: str) -> None:
        """Declare a maker.

        :param name: the library whose coroutines are run.
        :param maker: the full name of a function that returns a runner for a reactor.
        """
        self.name = name
        self._maker = maker

    def runnerFor(self, reactor: Any) -> AsyncRunner:
        """Return a runner in the thread of *reactor*."""
        from torsion.python.reflect import namedAny

        runner: AsyncRunner = namedAny(self._maker)(reactor)
        return runner


def findRunner(reactor: Any, name: str = "asyncio") -> AsyncRunner:
    """Return a runner, of the first plugin that makes such.

    :param reactor: in whose thread it runs coroutines.
    :param name: the library whose coroutines are run.
    :raises LookupError: if no plugin does.
    """
    for maker in getPlugins(IAsyncRunnerMaker):
        if maker.name == name:
            return maker.runnerFor(reactor)  # type: ignore[no-any-return]  # mypy-zope gives plugins no type
    raise LookupError(f"no plugin runs coroutines of {name}; give the resource a runner")


async def run_application(
    application: Any, scope: dict[str, Any], receive: Any, send: Any, ended: Callable[[BaseException | None], object]
) -> None:
    """Call an application, and tell how it has ended.

    :param ended: called with what it has raised, or None.
    """
    try:
        await application(scope, receive, send)
    except GeneratorExit:  # nobody runs it any more
        raise
    except BaseException as error:
        ended(error)
        if not isinstance(error, Exception | SystemExit | KeyboardInterrupt):
            raise  # it was cancelled
    else:
        ended(None)
