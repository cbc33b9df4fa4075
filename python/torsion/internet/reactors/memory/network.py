"""A network in memory: its clock, its computers, the ways between them, and what goes wrong on these."""

from __future__ import annotations

import errno
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.memory.clock import SimulatedClock, checked_number, nanoseconds
from torsion.internet.reactors.memory.conditions import Conditions, check_conditions
from torsion.internet.reactors.memory.machine import Machine, canonical, is_loopback
from torsion.internet.reactors.memory.path import GIVES_UP
from torsion.internet.reactors.memory.post import Post
from torsion.internet.reactors.memory.sockets import StreamSocket, system_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from torsion.internet.reactors.memory.sockets import ListeningSocket
    from torsion.internet.reactors.memory.trace import Trace

__all__ = ["Network"]

LOCAL_NAMES: Mapping[str, tuple[str, ...]] = {"localhost": ("127.0.0.1", "::1")}
"""The names that every network knows."""


class Network(Post):
    """What several reactors in memory are joined by.  It, and they, belong to one thread.

    What happens is the same each time for the same seed and the same calls.

    :ivar clock: the time of all reactors on it.
    :ivar version: a number that changes whenever something changes that ways know of.
    :ivar heals: how often a cut was undone.
    :ivar names: host names, each with its numeric addresses; what resolvers of these reactors know.
    :ivar home: the computer of reactors that were made without one.
    """

    def __init__(self, seed: int = 0, conditions: Conditions | None = None) -> None:
        """Make a network with one computer.

        :param seed: what all that is random is drawn from.
        :param conditions: how well everything is carried; at once and without fault, if it is not given.
        :raises TypeError: if one of them is something else.
        """
        if seed is None or not isinstance(seed, int | float | str | bytes | bytearray):
            raise TypeError(f"seed must be a number or a text, so that runs can be repeated, not {seed!r}")
        if conditions is not None:
            check_conditions("conditions", conditions)
        super().__init__(SimulatedClock())
        self.random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self.version = 0
        self._conditions = Conditions() if conditions is None else conditions
        self._trace: Trace | None = None
        self._free: dict[tuple[str, str], int] = {}
        self._asking: dict[StreamSocket, None] = {}
        self.names: dict[str, tuple[str, ...]] = dict(LOCAL_NAMES)
        self.home = Machine()
        self._machines = [self.home]
        self._owners: dict[str, Machine] = {}
        self._ways: dict[tuple[str, str], Conditions] = {}
        self._cuts: Counter[frozenset[str]] = Counter()
        self._held_up: list[Callable[[], None]] = []
        self.heals = 0
        self._sockets: dict[StreamSocket, None] = {}

    @property
    def conditions(self) -> Conditions:
        """How well everything is carried that has no conditions of its own; set it at any time."""
        return self._conditions

    @conditions.setter
    def conditions(self, conditions: Conditions) -> None:
        check_conditions("conditions", conditions)
        self._conditions = conditions
        self.version += 1

    @property
    def trace(self) -> Trace | None:
        """What is told of all that is sent; None, at first, for nobody.  Set it at any time."""
        return self._trace

    @trace.setter
    def trace(self, trace: Trace | None) -> None:
        self._trace = trace
        if trace is not None:
            trace.clock = self.clock
        self.version += 1

    # --- computers and names -----------------------------------------------------------------------------------------

    def machine(self, *addresses: str, name: str | None = None) -> Machine:
        """Add a computer.

        :param addresses: its numeric addresses.
        :param name: a name that these are found by.
        :raises ValueError: if another one has one of them, or there is none.
        """
        if not addresses:
            raise ValueError("a computer has an address; without, use the network's home")
        for address in addresses:
            if is_loopback(address) or self.owner_of(address) is not None:
                raise ValueError(f"{address!r} is another computer's address already")
        made = Machine(*addresses)
        self._machines.append(made)
        self._owners.update(dict.fromkeys(made.addresses, made))
        if name is not None:
            self.names[name] = addresses
        return made

    def owner_of(self, host: str) -> Machine | None:
        """Return the computer that has the numeric address *host*, if it is no loopback address."""
        return self._owners.get(host)

    def route(self, origin: Machine, target: tuple[Any, ...]) -> tuple[Machine | None, tuple[Any, ...]]:
        """Return the computer that *target* leads to from *origin*, if any, and that address as one can be spoken to."""
        target = canonical(target)
        if target[0] in ("0.0.0.0", "::"):  # noqa: S104 - a way to say "here", on Linux
            target = ("127.0.0.1" if len(target) == 2 else "::1", *target[1:])
        if origin.owns(target[0]):
            return origin, target
        return self.owner_of(target[0]), target

    def dial(self, address: tuple[Any, ...], origin: Machine | None = None) -> StreamSocket:
        """Connect to *address* without a reactor, at once: for what no well-behaved client would do.

        :param address: a numeric address, as the system has them.
        :param origin: from which computer; the network's home, if it is not given.
        :returns: this end of the connection, which the test reads, writes, shuts and closes by hand.
        :raises OSError: if nobody listens there, or nobody more can wait.
        """
        origin = self.home if origin is None else origin
        target, remote = self.route(origin, address)
        local = origin.local_for(remote)
        listening = None if target is None or local is None else target.find("TCP", remote)
        if listening is None or listening.full:
            raise system_error(errno.ECONNREFUSED)
        family = remote[2:]
        here = (local, origin.free_port("TCP", (local, 0, *family)), *family)
        return self.establish(StreamSocket(self, here, remote, origin), listening)

    def establish(self, asking: StreamSocket, listening: ListeningSocket) -> StreamSocket:
        """Have *asking* be one end of a connection, and put the other one among those that *listening* is to accept."""
        accepted = StreamSocket(self, asking.remote, asking.local, listening.machine)
        accepted.join(asking)
        self._sockets[accepted] = self._sockets[asking] = None
        listening.put(accepted)
        return asking

    # --- how well things go ------------------------------------------------------------------------------------------

    def between(self, one: str, other: str, conditions: Conditions) -> None:
        """Let *conditions* hold between two numeric addresses, both ways, from now on."""
        check_conditions("conditions", conditions)
        self._ways[one, other] = self._ways[other, one] = conditions
        self.version += 1

    def conditions_between(self, source: Any, target: Any) -> Conditions:
        """Return the conditions that hold from *source* to *target*."""
        return self._ways.get((source, target), self._conditions) if self._ways else self._conditions

    def cut(self, one: str, other: str) -> None:
        """Let nothing through between two numeric addresses: streams stall, datagrams are lost, nobody answers.

        A stream whose data is not acknowledged for fifteen minutes breaks; the other end does not learn of it before it speaks.
        """
        self._cuts[frozenset((one, other))] += 1
        self.version += 1

    def heal(self, one: str | None = None, other: str | None = None) -> None:
        """Undo one :meth:`cut` between two numeric addresses, or without them every one; what streams were to carry arrives."""
        if one is None or other is None:
            self._cuts.clear()
        else:
            self._cuts.subtract((frozenset((one, other)),))
            self._cuts = +self._cuts
        self.version += 1
        self.heals += 1
        waiting, self._held_up = self._held_up, []
        for action in waiting:
            action()

    def is_cut(self, source: Any, target: Any) -> bool:
        """Tell whether nothing goes from *source* to *target*."""
        return bool(self._cuts) and frozenset((source, target)) in self._cuts

    def when_healed(self, action: Callable[[], None]) -> None:
        """Call *action* when a cut is undone."""
        self._held_up.append(action)

    def reset(self, one: str, other: str | None = None, number: int = errno.ECONNRESET) -> int:
        """Break every connection of the numeric address *one*, or every one between it and *other*.

        :param number: the system's error that both ends see.
        :returns: how many ends were broken.
        """
        wanted = {one} if other is None else {one, other}
        ends = [each for each in self._sockets if wanted <= {each.local[0], each.remote[0]}]
        for end in ends:
            end.break_off(number)
        return len(ends)

    def forget(self, socket: StreamSocket) -> None:
        """Know of a connection's end no longer."""
        self._sockets.pop(socket, None)
        self._asking.pop(socket, None)

    # --- computers that fail -----------------------------------------------------------------------------------------

    def power_off(self, machine: Machine) -> None:
        """Take the power from a computer: its reactors are gone without a word, and whoever speaks to it is not answered.

        Connections are half open then: the other end learns of it when it has sent something and nobody has acknowledged it for
        fifteen minutes, or when the computer is back and does not know the connection.
        """
        machine.down = True
        for engine in sorted(machine.engines, key=lambda each: each.number):
            engine.vanish()
        machine.unbind_all()
        for each in [each for each in self._sockets if each.machine is machine]:
            each.vanish()

    def end(self, machine: Machine) -> None:
        """End what runs on a computer: its reactors are gone without a word, and its system closes what they had open."""
        for engine in sorted(machine.engines, key=lambda each: each.number):
            engine.vanish()
        for listening in machine.listening():
            listening.close()
        machine.unbind_all()
        for each in [each for each in self._sockets if each.machine is machine]:
            each.close()

    def power_on(self, machine: Machine) -> None:
        """Give it power again; make it new reactors."""
        machine.down = False
        asking, self._asking = self._asking, {}
        for each in asking:
            each.nobody_answers()

    def ask_again(self, socket: StreamSocket) -> None:
        """Keep in mind that *socket* waits for the answer of a computer that is down; it gives up in the end."""
        if socket not in self._asking:
            self._asking[socket] = None
            self.clock.at(self.clock.now + GIVES_UP, self._give_up, socket)

    def _give_up(self, socket: StreamSocket) -> None:
        if self._asking.pop(socket, self) is None:
            socket.break_off(errno.ETIMEDOUT)

    def jump(self, machine: Machine, seconds: float) -> None:
        """Have a computer's clock jump, forwards or, with a negative number, back.

        What its reactors say the time is changes; calls that are to come keep their distance, as with a system's monotonic clock.

        :raises TypeError: if *seconds* is no number.
        :raises ValueError: if it is not finite.
        """
        moved = nanoseconds(checked_number("seconds", seconds, "a finite number of seconds"))
        machine.skew += moved
        for engine in machine.engines:
            engine.timers.shift += moved

    def freeze(self, machine: Machine, frozen: bool = True) -> None:
        """Have a computer do nothing, as while a virtual machine is moved, or go on: its network goes on meanwhile."""
        for engine in sorted(machine.engines, key=lambda each: each.number):
            engine.freeze(frozen)

    # --- what is random ----------------------------------------------------------------------------------------------

    def draw_delay(self, conditions: Conditions) -> int:
        """Return how many nanoseconds something takes."""
        least, spread = conditions.spread
        return least + int(self.random.random() * spread) if spread else least

    def drawn_arrival(self, source: Any, target: Any, size: int) -> int:
        """Return when *size* bytes arrive that are sent now, after those that go the same way."""
        conditions = self.conditions_between(source, target)
        when = self.clock.now
        if conditions.bandwidth is not None:
            when = max(when, self._free.get((source, target), 0)) + nanoseconds(size / conditions.bandwidth)
            self._free[source, target] = when
        return when + self.draw_delay(conditions)

    def cut_up(self, data: bytes, most: int | None) -> Iterable[bytes]:
        """Cut *data* into pieces of 1 to *most* bytes, or not at all."""
        if most is None:
            yield data
            return
        start = 0
        while start < len(data):
            size = self.random.randint(1, most)
            yield data[start : start + size]
            start += size

    def happens(self, likelihood: float) -> bool:
        """Draw whether something happens."""
        return likelihood > 0 and self.random.random() < likelihood
