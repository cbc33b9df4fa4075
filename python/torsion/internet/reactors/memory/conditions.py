"""How well a network in memory carries what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torsion.internet.reactors.memory.clock import checked_count, checked_duration, checked_number, nanoseconds

__all__ = [
    "CAPACITY",
    "LARGEST_DATAGRAM",
    "LONGEST_RETRANSMISSION",
    "RETRANSMISSION",
    "Conditions",
    "check_conditions",
    "check_pace",
]

CAPACITY = 256 * 1024
"""How many bytes one direction of a connection holds that the peer has not read, unless told otherwise: enough that a
producer is paused by its own water mark first, little enough that a test fills it at once."""

LARGEST_DATAGRAM = 65507
"""The longest UDP datagram over IPv4: what the sixteen bits of its length leave beside the two headers (RFC 768, RFC 791)."""

RETRANSMISSION = 0.2
"""After how many seconds a piece of a stream that was lost is sent again: Linux's least; the wait doubles each time (RFC 6298)."""

LONGEST_RETRANSMISSION = 120.0
"""The most seconds between two attempts: Linux's."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What happens to bytes and datagrams on their way.  Everything random is drawn from the network's seed.

    :ivar latency: how many seconds anything takes one way; or the least and the most, to be drawn between.  What one
        connection carries stays in order whatever is drawn.
    :ivar jitter: up to how many seconds longer it takes, to be drawn each time.
    :ivar bandwidth: how many bytes a second go one way between two addresses, all their connections and datagrams
        together; None means as many as there are.
    :ivar fragment: cut a stream's bytes into pieces of 1 to so many bytes, each read, and delivered, by itself; None
        leaves them as they were written, and whatever has arrived is read together.
    :ivar capacity: how many bytes of a stream may be under way and unread before the sender has to wait.
    :ivar loss: how likely a datagram, or a piece of a stream, is lost, from 0 to 1.  A datagram is gone; a piece of a stream
        is sent again, and all behind it waits.
    :ivar duplicate: how likely a datagram arrives twice.
    :ivar reorder: how likely a datagram takes ten milliseconds longer, so that others overtake it.
    :ivar largest: the longest datagram that can be sent, in bytes.
    """

    latency: float | tuple[float, float] = 0.0
    jitter: float = 0.0
    bandwidth: float | None = None
    fragment: int | None = None
    capacity: int = CAPACITY
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    largest: int = LARGEST_DATAGRAM

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        :raises TypeError: if a setting is something else than it can be; naming it.
        :raises ValueError: if it is too small, too great or not finite; naming it.
        """
        checked_duration("jitter", self.jitter)
        self._check_latency()
        if self.bandwidth is not None:
            check_pace("bandwidth", self.bandwidth)
        if self.fragment is not None:
            checked_count("fragment", self.fragment, 1, "a whole number of bytes, 1 or more, or None")
        checked_count("capacity", self.capacity, 1, "a whole number of bytes, 1 or more")
        checked_count("largest", self.largest, 0, "a whole number of bytes, 0 or more")
        for name in ("loss", "duplicate", "reorder"):
            given = getattr(self, name)
            if not 0 <= checked_number(name, given, "a likelihood from 0 to 1") <= 1:
                raise ValueError(f"{name} is a likelihood from 0 to 1, not {given!r}")

    def _check_latency(self) -> None:
        what = "a number of seconds, 0 or more and finite, or a tuple of the least and the most"
        ends = self.latency if isinstance(self.latency, tuple) else (self.latency,)
        try:
            numbers = [checked_duration("latency", each) for each in ends]
        except TypeError:
            raise TypeError(f"latency is {what}, not {self.latency!r}") from None
        except ValueError:
            raise ValueError(f"latency is {what}, not {self.latency!r}") from None
        if (
            len(numbers) not in (1, 2)
            or (isinstance(self.latency, tuple) and len(numbers) == 1)
            or numbers[0] > numbers[-1]
        ):
            raise ValueError(f"latency is {what}, not {self.latency!r}")

    @property
    def delays(self) -> tuple[float, float]:
        """The least and the most that anything takes one way, in seconds."""
        least, most = self.latency if isinstance(self.latency, tuple) else (self.latency, self.latency)
        return least, most + self.jitter

    @cached_property
    def spread(self) -> tuple[int, int]:
        """The least that anything takes one way, and how much may come to that, in nanoseconds."""
        least, most = map(nanoseconds, self.delays)
        return least, most - least

    @property
    def plain(self) -> bool:
        """Whether how long something takes depends on nothing else that is under way."""
        return self.bandwidth is None and not self.loss


def check_pace(name: str, given: float) -> None:
    """Refuse what is no number of bytes a second.

    :raises TypeError: if it is no number.
    :raises ValueError: if it is not more than 0, or not finite.
    """
    what = "a number of bytes a second, more than 0, or None"
    if checked_number(name, given, what) <= 0:
        raise ValueError(f"{name} is {what}, not {given!r}")


def check_conditions(name: str, given: object) -> None:
    """Refuse what are no conditions.

    :raises TypeError: naming the argument.
    """
    if not isinstance(given, Conditions):
        raise TypeError(f"{name} must be Conditions, not {given!r}")
