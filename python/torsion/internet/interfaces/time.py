"""Calls in the future."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class IDelayedCall(Interface):
    """A call that was asked for by :meth:`IReactorTime.callLater`."""

    def getTime() -> float:
        """Return when the call is due: seconds, on the scale of :meth:`IReactorTime.seconds`."""

    def cancel() -> None:
        """See to it that the call is never made.

        :raises torsion.internet.error.AlreadyCalled: if it was made.
        :raises torsion.internet.error.AlreadyCancelled: if it was cancelled before.
        """

    def delay(secondsLater: float) -> None:
        """Put the call off.

        :param secondsLater: seconds to add to the time at which it is due; a negative number brings it forward.
        :raises torsion.internet.error.AlreadyCalled: if the call was made.
        :raises torsion.internet.error.AlreadyCancelled: if it was cancelled.
        """

    def reset(secondsFromNow: float) -> None:
        """Count the call's time anew.

        :param secondsFromNow: seconds from this moment to the call.
        :raises torsion.internet.error.AlreadyCalled: if the call was made.
        :raises torsion.internet.error.AlreadyCancelled: if it was cancelled.
        """

    def active() -> bool:
        """Return true as long as the call is still to come."""


class IReactorTime(Interface):
    """A reactor, or a stand-in for one, that knows the time."""

    def seconds() -> float:
        """Return the time in seconds since the epoch.

        On torsion's reactors this never runs backwards, also when the computer's clock is set.
        """

    def callLater(delay: float, callable: Callable[..., Any], *args: object, **kwargs: object) -> IDelayedCall:
        """Call something later, once. Calls due at the same time are made in the order they were asked for.

        :param delay: seconds from now, at least 0. A call with delay 0 is made in a later turn, never at once.
        :param callable: what to call; *args* and *kwargs* are handed to it.
        :returns: a handle by which the call can be cancelled or moved.
        :raises ValueError: if *delay* is negative or not a finite number.
        """

    def getDelayedCalls() -> Sequence[IDelayedCall]:
        """Return the calls that are still to come, in no particular order."""
