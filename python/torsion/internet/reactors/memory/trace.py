"""What happened on a network in memory, for people to read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torsion.internet.reactors.memory.clock import SimulatedClock

__all__ = ["LONGEST_TRACE", "SHOWN", "Event", "Trace"]

LONGEST_TRACE = 20_000
"""How many events a trace keeps; of more, the first are forgotten.  Some 10 MB; nobody reads further back."""

SHOWN = 32
"""How many bytes of what was sent a trace shows."""


@dataclass(frozen=True)
class Event:
    """Something that happened.

    :ivar at: when, in seconds.
    :ivar kind: what: ``data``, ``end``, ``reset``, ``connect``, ``accept``, ``refuse``, ``datagram``, ``fault`` or ``note``.
    :ivar source: who sent it, host and port; or whom it befell.
    :ivar target: whom it was sent to, or None.
    :ivar data: the first bytes that were sent.
    :ivar size: how many bytes were sent.
    :ivar arrives: when it arrives, in seconds; None if it does not.
    :ivar note: what else there is to say.
    """

    at: float
    kind: str
    source: tuple[Any, ...]
    target: tuple[Any, ...] | None
    data: bytes
    size: int
    arrives: float | None
    note: str


class Trace:
    """A list of what was sent and what went wrong; a network fills it.

    :ivar events: what happened, the last :data:`LONGEST_TRACE` of it.
    :ivar names: what hosts are called, by their addresses.
    """

    clock: SimulatedClock

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        """Make an empty one; set it as a network's ``trace``."""
        self.events: deque[Event] = deque(maxlen=LONGEST_TRACE)
        self.names: dict[str, str] = dict(names or {})

    def add(
        self,
        kind: str,
        source: tuple[Any, ...],
        target: tuple[Any, ...] | None = None,
        data: bytes = b"",
        arrives: float | None = None,
        note: str = "",
    ) -> None:
        """Note that something happens now; the arguments are those of :class:`Event`."""
        self.events.append(Event(self.clock.seconds(), kind, source, target, data[:SHOWN], len(data), arrives, note))

    def named(self, address: tuple[Any, ...]) -> str:
        """Return how *address* is called: its host by name, with its port if it has one."""
        host = self.names.get(address[0], str(address[0]))
        return f"{host}:{address[1]}" if len(address) > 1 else host

    def lines(self) -> Iterator[str]:
        """Give a line for each event, in the order in which they happened."""
        for event in self.events:
            yield self._line(event)

    def _line(self, event: Event) -> str:
        who = self.named(event.source)
        if event.target is not None:
            who += f" → {self.named(event.target)}"
        words = [event.kind if event.kind not in ("note", "fault") else event.kind.upper()]
        if event.size:
            words.append(f"{event.size} bytes {event.data!r}" + ("…" if event.size > len(event.data) else ""))
        if event.note:
            words.append(event.note)
        if event.target is not None:
            words.append("never arrives" if event.arrives is None else f"arrives {event.arrives:.6f}")
        return f"{event.at:12.6f} s  {who:40}  {', '.join(words)}"

    def __str__(self) -> str:
        return "\n".join(self.lines())
