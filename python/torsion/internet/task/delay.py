"""A result after some time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torsion.internet.defer import Deferred

if TYPE_CHECKING:
    from torsion.internet.interfaces import IReactorTime

__all__ = ["deferLater"]


def deferLater(
    clock: IReactorTime, delay: float, callable: Callable[..., Any] | None = None, *args: object, **kw: object
) -> Deferred[Any]:
    """Return a Deferred that fires in *delay* seconds.

    Cancelling it before cancels the call.

    :param clock: what measures them, such as the reactor.
    :param delay: seconds.
    :param callable: called then, with the arguments that follow; what it returns or raises is the result.  Without one
        the result is None.
    """

    def cancel(_: Deferred[Any]) -> None:
        call.cancel()

    deferred: Deferred[Any] = Deferred(cancel)
    if callable is not None:
        function = callable
        deferred.addCallback(lambda _: function(*args, **kw))
    call = clock.callLater(delay, deferred.callback, None)
    return deferred
