"""What may go wrong, and when: plain data, so that it can be drawn, shrunk, printed and read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.memory import Conditions
from torsion.internet.reactors.memory.clock import checked_duration, checked_number
from torsion.internet.reactors.memory.conditions import check_pace

if TYPE_CHECKING:
    from torsion.testing.network.world import World

__all__ = ["Crash", "Cut", "Fault", "Freeze", "Jump", "Kill", "Reset", "Slow", "Weather"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong.

    :ivar at: after how many seconds.
    """

    at: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be: as the fault is made, not in the midst of a run.

        :raises TypeError: if a setting is no number; naming it.
        :raises ValueError: if it is negative or not finite; naming it.
        """
        checked_duration("at", self.at)
        lasts: Any = getattr(self, "seconds", None)
        if lasts is not None:
            self._check_seconds(lasts)

    def _check_seconds(self, seconds: float) -> None:
        checked_duration("seconds", seconds)

    def strike(self, world: World) -> None:
        """Have it happen."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Befalling(Fault):
    """A fault of one host.

    :ivar host: the host's name.
    """

    host: str = ""


@dataclass(frozen=True, kw_only=True)
class Crash(Befalling):
    """A host loses its power, and starts again after some seconds: connections are half open until then.

    :ivar seconds: how long it is down; None for ever.
    """

    seconds: float | None = 1.0

    def strike(self, world: World) -> None:
        """Take the power."""
        world.befalls(f"loses its power for {_duration(self.seconds)}", self.host)
        world[self.host].crash(self.seconds)


@dataclass(frozen=True, kw_only=True)
class Kill(Befalling):
    """A host's programs are ended, and start again after some seconds.

    :ivar seconds: how long it is down; None for ever.
    """

    seconds: float | None = 1.0

    def strike(self, world: World) -> None:
        """End the programs."""
        world.befalls(f"is killed for {_duration(self.seconds)}", self.host)
        world[self.host].kill(self.seconds)


@dataclass(frozen=True, kw_only=True)
class Freeze(Befalling):
    """A host's programs do nothing for some seconds.

    :ivar seconds: how long.
    """

    seconds: float = 1.0

    def strike(self, world: World) -> None:
        """Freeze the host."""
        world.befalls(f"does nothing for {self.seconds} s", self.host)
        world[self.host].freeze(self.seconds)


@dataclass(frozen=True, kw_only=True)
class Jump(Befalling):
    """A host's clock jumps.

    :ivar seconds: by how much; back, if it is negative.
    """

    seconds: float = 1.0

    def _check_seconds(self, seconds: float) -> None:
        checked_number("seconds", seconds, "a finite number of seconds")

    def strike(self, world: World) -> None:
        """Set the clock."""
        world.befalls(f"has its clock jump by {self.seconds} s", self.host)
        world[self.host].jump(self.seconds)


@dataclass(frozen=True, kw_only=True)
class Slow(Befalling):
    """A host reads slowly.

    :ivar pace: how many bytes a second of each connection.
    :ivar seconds: how long; None for ever.
    """

    pace: float = 1000.0
    seconds: float | None = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        super().__post_init__()
        check_pace("pace", self.pace)

    def strike(self, world: World) -> None:
        """Slow the host down."""
        world.befalls(f"reads {self.pace} bytes/s for {_duration(self.seconds)}", self.host)
        world[self.host].read_slowly(self.pace, self.seconds)


@dataclass(frozen=True, kw_only=True)
class Reset(Befalling):
    """A host's connections are reset, at both ends."""

    def strike(self, world: World) -> None:
        """Break them."""
        world.befalls("has its connections reset", self.host)
        world[self.host].reset()


@dataclass(frozen=True, kw_only=True)
class Cut(Fault):
    """Nothing goes between some hosts and the others.

    :ivar hosts: the names of those on one side.
    :ivar seconds: for how long; None for ever.
    """

    hosts: tuple[str, ...] = ()
    seconds: float | None = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        super().__post_init__()
        check_names("hosts", self.hosts)

    def strike(self, world: World) -> None:
        """Cut the network in two."""
        for name in self.hosts:
            world.befalls(f"is cut off for {_duration(self.seconds)}", name)
        world.cut(self.hosts, self.seconds)


@dataclass(frozen=True, kw_only=True)
class Weather(Fault):
    """The network carries things otherwise for some seconds.  Each setting but those of :class:`Fault` is one of
    :class:`Conditions`.

    :ivar seconds: for how long; None for ever.
    """

    seconds: float | None = 1.0
    latency: float = 0.0
    jitter: float = 0.0
    bandwidth: float | None = None
    fragment: int | None = None
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        super().__post_init__()
        self.conditions()

    def conditions(self) -> Conditions:
        """Return how the network carries things then."""
        return Conditions(
            latency=self.latency,
            jitter=self.jitter,
            bandwidth=self.bandwidth,
            fragment=self.fragment,
            loss=self.loss,
            duplicate=self.duplicate,
            reorder=self.reorder,
        )

    def strike(self, world: World) -> None:
        """Change the conditions."""
        conditions = self.conditions()
        world.befalls(f"is otherwise for {_duration(self.seconds)}: {conditions}")
        world.weather(conditions, self.seconds)


def check_names(name: str, given: object) -> None:
    """Refuse what is not several names: the letters of a single one are none.

    :raises TypeError: naming the argument.
    """
    if isinstance(given, str) or not hasattr(given, "__iter__"):
        raise TypeError(f"{name} must be several names, such as ('server', 'client'), not {given!r}")


def _duration(seconds: float | None) -> str:
    return "ever" if seconds is None else f"{seconds} s"
