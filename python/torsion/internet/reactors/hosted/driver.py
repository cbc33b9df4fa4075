"""What a reactor asks of the foreign loop that takes its turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Driver", "milliseconds"]


class Driver(Protocol):
    """A foreign loop, as a hosted reactor sees it: something that watches one descriptor and keeps one timer.

    All of it is used in the loop's own thread.  What is called back neither blocks nor raises.

    :ivar hears_signals: whether a signal's handler in Python is called soon while the loop waits, with no help of ours.
    """

    hears_signals: bool

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Call *callback* whenever *descriptor* is readable, until :meth:`unwatch`; also from a loop that is run within it.

        :raises TypeError: if this loop cannot watch descriptors.
        """

    def unwatch(self) -> None:
        """End what :meth:`watch` began."""

    def set_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call *callback* once, in *seconds*, instead of what was asked for last."""

    def clear_timer(self) -> None:
        """Take back what :meth:`set_timer` asked for, if it was not called yet."""

    def running(self) -> bool:
        """Tell whether the loop is running, as far as it can be told."""

    def run(self) -> None:
        """Run the loop until :meth:`stop`, or until it ends for a reason of its own."""

    def stop(self) -> None:
        """Let :meth:`run` return soon."""


def milliseconds(seconds: float) -> int:
    """Return *seconds* as loops want them that count in milliseconds: never early, and never more than they can take."""
    return min(-int(-seconds * 1000 // 1), 2**31 - 1)
