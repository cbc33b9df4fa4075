"""Datagrams on their way: lost, doubled, overtaken, or delivered to one or to many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.memory.clock import SECOND
from torsion.internet.reactors.memory.machine import is_group
from torsion.internet.reactors.memory.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.reactors.memory.conditions import Conditions
    from torsion.internet.reactors.memory.datagram import MemoryDatagram
    from torsion.internet.reactors.memory.machine import Machine
    from torsion.internet.reactors.memory.sockets import Address
    from torsion.internet.reactors.memory.trace import Trace

__all__ = ["LATE", "Post"]

LATE = 10_000_000
"""How many nanoseconds longer a datagram takes that is to be overtaken: longer than what sends in bursts waits between two."""


class Post(Simulation):
    """What carries datagrams.  What else a network is comes with :class:`torsion.internet.reactors.memory.Network`."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self._sockets_for_datagrams: dict[MemoryDatagram, Machine] = {}

    conditions_between: Callable[[Any, Any], Conditions]
    drawn_arrival: Callable[[Any, Any, int], int]
    happens: Callable[[float], bool]
    is_cut: Callable[[Any, Any], bool]
    trace: Trace | None
    route: Callable[[Machine, Address], tuple[Machine | None, Address]]

    def enlist(self, socket: MemoryDatagram, machine: Machine) -> None:
        """Have *socket* of *machine* receive what is sent to many."""
        self._sockets_for_datagrams[socket] = machine

    def leave(self, socket: MemoryDatagram) -> None:
        """Have it not."""
        self._sockets_for_datagrams.pop(socket, None)

    def post(self, origin: Machine, source: Address, target: Address, data: bytes, sender: MemoryDatagram) -> None:
        """Carry a datagram from *source* to *target*, however it goes."""
        if target[0] == "255.255.255.255" or is_group(target[0]):
            for socket, machine in list(self._sockets_for_datagrams.items()):
                if socket.accepts(target, source) and (machine is not origin or sender.hears_itself):
                    # The default is how the socket is bound.
                    self._carry(source, target, data, lambda socket=socket: socket)  # type: ignore[misc]
            return
        there, target = self.route(origin, target)

        def receiver() -> Any:
            found = None if there is None else there.find("UDP", target)
            if found is None and (there is None or not there.down):
                self._later(target, source, sender.refused)
            return found

        self._carry(source, target, data, receiver)

    def _carry(self, source: Address, target: Address, data: bytes, receiver: Callable[[], Any]) -> None:
        conditions = self.conditions_between(source[0], target[0])
        cut = self.is_cut(source[0], target[0])
        if cut or self.happens(conditions.loss):
            if self.trace is not None:
                self.trace.add("datagram", source, target, data, None, "nobody hears" if cut else "lost")
            return

        def arrive() -> None:
            found = receiver()
            if found is not None:
                found.arrive(data, source)

        copies = 2 if self.happens(conditions.duplicate) else 1
        for copy in range(copies):
            late = LATE if self.happens(conditions.reorder) else 0
            when = self._later(source, target, arrive, late, len(data))
            if self.trace is not None:
                note = "again" if copy else "to be overtaken" if late else ""
                self.trace.add("datagram", source, target, data, when / SECOND, note)

    def _later(self, source: Address, target: Address, action: Callable[[], None], late: int = 0, size: int = 0) -> int:
        """Have *action* called when *size* bytes have arrived; return when that is."""
        when = self.drawn_arrival(source[0], target[0], size) + late
        if when > self.clock.now:
            self.clock.at(when, action)
        else:
            action()
        return when
