"""One way between two ends of a connection: in order, after a while, whatever is lost between."""

from __future__ import annotations

from heapq import heappush
from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.memory.clock import SECOND, nanoseconds
from torsion.internet.reactors.memory.conditions import LONGEST_RETRANSMISSION, RETRANSMISSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from torsion.internet.reactors.memory.conditions import Conditions
    from torsion.internet.reactors.memory.network import Network

    Address: TypeAlias = tuple[Any, ...]

__all__ = ["GIVES_UP", "Path"]

GIVES_UP = nanoseconds(924.6)
"""After how long a stream breaks whose data nobody acknowledges, because the other computer is gone: Linux's
``tcp_retries2`` of 15."""

MOST_ATTEMPTS = 15
"""How often a piece is sent again before it arrives whatever is drawn: Linux's ``tcp_retries2``.  (With a loss of a half, one
piece of 30,000 gets so far.)"""


class Path:
    """One way between two ends: what is sent arrives in order, after a while.

    Without latency it arrives within the call.

    :ivar conditions: how well this way carries, as of when it was last looked at.
    :ivar capacity: the same as that of the conditions.
    :ivar given_up: whether who sends has given up: what is held up by a cut is never sent.
    """

    __slots__ = (
        "_delay", "_last", "_network", "_plain", "_spread", "_traced", "_version", "capacity", "conditions", "given_up", "source",
        "target",
    )  # fmt: skip

    conditions: Conditions
    capacity: int

    def __init__(self, network: Network, source: Address, target: Address) -> None:
        self._network = network
        self.source = source
        self.target = target
        self._last = 0  # when what was sent last arrives
        self.given_up = False
        self.refresh()

    def refresh(self) -> None:
        """Look at the network's conditions."""
        network = self._network
        self._version = network.version
        self.conditions = conditions = network.conditions_between(self.source[0], self.target[0])
        self.capacity = conditions.capacity
        self._delay, self._spread = conditions.spread
        self._plain = conditions.plain and not network.is_cut(self.source[0], self.target[0])
        self._traced = network.trace is not None

    def look(self) -> Conditions:
        """Return how well this way carries, now."""
        if self._version != self._network.version:
            self.refresh()
        return self.conditions

    def arrival(self) -> int | None:
        """Take a place on the way, and return when what takes it arrives; None where that cannot be said beforehand."""
        if self._version != self._network.version:
            self.refresh()
        if not self._plain:
            return None
        network = self._network
        when = network.clock.now + self._delay
        if self._spread:
            when += int(network.random.random() * self._spread)
        if when < self._last:
            when = self._last
        self._last = when
        return when

    def send(self, arrive: Callable[..., None], *args: Any, kind: str = "", data: bytes = b"") -> None:
        """Have *arrive* called at the other end.

        :param kind: what it is, for the trace; empty, if it is not worth mentioning.
        :param data: the bytes that it takes along.
        """
        when = self.arrival()
        if when is None:
            self._send_slowly(arrive, args, kind, data)
            return
        if self._traced and kind:
            trace = self._network.trace
            if trace is not None:
                trace.add(kind, self.source, self.target, data, when / SECOND)
        clock = self._network.clock
        if when > clock.now:
            heappush(clock.events, (when, next(clock.order), arrive, args))
        else:
            arrive(*args)

    def send_data(self, arrive: Callable[[bytes], None], data: bytes) -> None:
        """Have *arrive* called with *data* at the other end: what :meth:`send` does, where most time is spent."""
        if self._traced or self._version != self._network.version:
            self.send(arrive, data, kind="data", data=data)
            return
        when = self.arrival()
        clock = self._network.clock
        if when is None:
            self._send_slowly(arrive, (data,), "data", data)
        elif when > clock.now:
            heappush(clock.events, (when, next(clock.order), arrive, (data,)))
        else:
            arrive(data)

    def _send_slowly(self, arrive: Callable[..., None], args: tuple[Any, ...], kind: str, data: bytes) -> None:
        network = self._network
        trace = network.trace
        now = network.clock.now
        if network.is_cut(self.source[0], self.target[0]):
            if trace is not None and kind:
                trace.add(kind, self.source, self.target, data, None, "held up")
            network.when_healed(lambda: None if self.given_up else self.send(arrive, *args, kind=kind, data=data))
            return
        when = network.drawn_arrival(self.source[0], self.target[0], len(data))
        note = ""
        wait, attempts = RETRANSMISSION, 0
        while attempts < MOST_ATTEMPTS and network.happens(self.conditions.loss):
            when += nanoseconds(wait)
            wait, attempts = min(2 * wait, LONGEST_RETRANSMISSION), attempts + 1
            note = f"sent {attempts + 1} times"
        when = max(self._last, when)
        self._last = when
        if trace is not None and kind:
            trace.add(kind, self.source, self.target, data, when / SECOND, note)
        if when > now:
            network.clock.at(when, arrive, *args)
        else:
            arrive(*args)
