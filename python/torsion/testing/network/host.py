"""A simulated computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.internet import _current
from torsion.internet.reactors.memory import MemoryReactor
from torsion.internet.reactors.memory.clock import checked_duration
from torsion.internet.reactors.memory.conditions import check_pace

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.reactors.memory import Machine
    from torsion.testing.network.world import World

__all__ = ["Host", "HostReactor", "check_span"]


def check_span(seconds: float | None) -> None:
    """Refuse what does not say how long something lasts: before it is begun.

    :raises TypeError: if it is neither None nor a number.
    :raises ValueError: if it is negative or not finite.
    """
    if seconds is not None:
        checked_duration("seconds", seconds)


class HostReactor(MemoryReactor):
    """The reactor of a simulated computer: it counts as running from when the computer starts."""

    def boot(self) -> None:
        """Fire the ``startup`` event, and be running."""
        self._started = True
        self.fireSystemEvent("startup")

    def stop(self) -> None:
        """Fire the ``shutdown`` event soon, which closes all ports and connections.

        :raises torsion.internet.error.ReactorNotRunning: if it was told to stop before.
        """
        super().stop()
        self.callLater(0, self._shut_down)


class Host:
    """A computer of a :class:`World`, which makes it.

    :ivar name: what it is called, which is also a name that resolvers find.
    :ivar address: its numeric address.
    :ivar reactor: what programs on it run on; another one each time it starts.
    :ivar machine: the computer, as the network below knows it.
    :ivar up: whether it runs.
    """

    def __init__(
        self, world: World, name: str, address: str, machine: Machine, boot: Callable[[Host], object] | None
    ) -> None:
        self.world = world
        self.name = name
        self.address = address
        self.machine = machine
        self.up = False
        self._boot = boot
        self._frozen = 0
        self._slowed: object = None

    # --- its life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, if it does not run: with a new reactor, on which ``boot`` starts its programs."""
        if self.up:
            return
        self.up = True
        self.reactor = HostReactor(self.world.network, self.machine)
        if self._frozen:
            self.world.network.freeze(self.machine)
        if self.machine.down:
            self.world.network.power_on(self.machine)
        _current.enter(self.reactor)
        try:
            self.reactor.boot()
            if self._boot is not None:
                self._boot(self)
        finally:
            _current.leave(self.reactor)

    def crash(self, seconds: float | None = None) -> None:
        """Take its power: no program on it learns of that, and nobody elsewhere is told.  Connections to it are half open.

        :param seconds: after how long to start it again; None for never.
        :raises TypeError: if *seconds* is no number.
        :raises ValueError: if it is negative or not finite.
        """
        check_span(seconds)
        if not self.up:
            return
        self.up = False
        self.world.network.power_off(self.machine)
        self._start_in(seconds)

    def kill(self, seconds: float | None = None) -> None:
        """End its programs, without any of them learning of it; the system closes their connections.

        :param seconds: after how long to start it again; None for never.
        :raises TypeError: if *seconds* is no number.
        :raises ValueError: if it is negative or not finite.
        """
        check_span(seconds)
        if not self.up:
            return
        self.up = False
        self.world.network.end(self.machine)
        self._start_in(seconds)

    def _start_in(self, seconds: float | None) -> None:
        if seconds is not None:
            self.world.later(seconds, self.start)

    # --- what may befall it ------------------------------------------------------------------------------------------

    def freeze(self, seconds: float | None = None) -> None:
        """Have its programs do nothing, as while it is swapped out or moved; its system and its network go on.

        :param seconds: after how long it goes on; None until :meth:`thaw`.
        :raises TypeError: if *seconds* is no number.
        :raises ValueError: if it is negative or not finite.
        """
        check_span(seconds)
        self._frozen += 1
        self.world.network.freeze(self.machine)
        if seconds is not None:
            self.world.later(seconds, self.thaw)

    def thaw(self) -> None:
        """Undo one :meth:`freeze`."""
        self._frozen = max(0, self._frozen - 1)
        if not self._frozen:
            self.world.network.freeze(self.machine, frozen=False)

    def jump(self, seconds: float) -> None:
        """Have its clock jump by *seconds*, back if that is negative: what its ``reactor.seconds()`` says changes, and calls
        that are to come keep their distance.

        :raises TypeError: if *seconds* is no number.
        :raises ValueError: if it is not finite.
        """
        self.world.network.jump(self.machine, seconds)

    def read_slowly(self, pace: float | None, seconds: float | None = None) -> None:
        """Have it read no more than *pace* bytes a second of each connection; None for as many as there are.

        :param seconds: for how long; None for ever.
        :raises TypeError: if *pace* or *seconds* is no number.
        :raises ValueError: unless *pace* is more than 0, or if *seconds* is negative; or if one is not finite.
        """
        check_span(seconds)
        if pace is not None:
            check_pace("pace", pace)
        self.machine.pace = pace
        self._slowed = slowed = object()

        def end() -> None:
            if self._slowed is slowed:  # else it was told something else meanwhile
                self.machine.pace = None

        if seconds is not None:
            self.world.later(seconds, end)

    def reset(self, other: Host | str | None = None) -> int:
        """Break its connections, or those to *other*, with a reset at both ends; return how many ends there were."""
        there = None if other is None else self.world[other].address
        return self.world.network.reset(self.address, there)

    def __repr__(self) -> str:
        return f"<Host {self.name} {self.address} {'up' if self.up else 'down'}>"
