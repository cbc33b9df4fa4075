"""Other libraries' Deferreds in coroutines that are run here, and ours in coroutines that others run.

Nothing of other libraries is known here: who knows them registers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torsion.python.failure import Failure

if TYPE_CHECKING:
    from ._deferred import Deferred

__all__ = ["given_out", "register", "taken_in"]

_taking_in: dict[type, Callable[[Any], Deferred[Any]]] = {}
_giving_out: list[Callable[[Deferred[Any]], Any]] = []


def register(kind: type, take_in: Callable[[Any], Deferred[Any]], give_out: Callable[[Deferred[Any]], Any]) -> None:
    """Make another library known.

    :param kind: the class of its Deferreds.
    :param take_in: makes one of ours of one of them.
    :param give_out: makes one of them of one of ours.
    """
    _taking_in[kind] = take_in
    _giving_out[:] = [give_out]


def taken_in(got: Any) -> Deferred[Any] | Failure | None:
    """Return what to wait for instead of *got*, which a coroutine has yielded and which is nothing of ours.

    :returns: a Deferred; None for what is no Deferred at all, and is sent back; a Failure, to be raised in the coroutine, for a
        Deferred of an unknown library.  Those yield themselves until they have a result: sent back, they would be waited for
        without end, and nothing else would ever run.
    """
    for kind in type(got).__mro__:
        if (take_in := _taking_in.get(kind)) is not None:
            return take_in(got)
    if hasattr(got, "__await__") and hasattr(got, "addCallbacks"):
        return Failure(
            TypeError(
                f"{got!r} is a Deferred of another library, which nobody here can wait for; if it is Twisted's, import"
                " torsion.interop.twisted.defer"
            )
        )
    return None


def given_out(deferred: Deferred[Any]) -> Any:
    """Return what to yield instead of *deferred* in a coroutine whose runner has just sent it back as it is.

    :raises TypeError: if nobody knows a library that does so.
    """
    if not _giving_out:
        raise TypeError(
            f"whoever runs this coroutine cannot wait for {deferred!r}, which is torsion's; if it is Twisted, import"
            " torsion.interop.twisted.defer"
        )
    return _giving_out[0](deferred)
