"""Many simulated computers on one network and one clock."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.memory import Conditions, Network, Trace
from torsion.internet.reactors.memory.clock import checked_duration, nanoseconds
from torsion.internet.reactors.memory.conditions import check_conditions
from torsion.internet.transports.numeric import isIPAddress, isIPv6Address
from torsion.testing.network.diagram import sequence_diagram
from torsion.testing.network.host import Host, check_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torsion.testing.network.schedule import Schedule

__all__ = ["World"]


class World:
    """A simulated network and its hosts.

    The same seed, the same calls and the same schedule give the same run, to the nanosecond. While time passes, :mod:`random`
    draws from the seed, too, and afterwards goes on where it was: so do programs that draw from it, such as those that connect
    again after a while.

    :ivar network: what carries things, for what has no method here.
    :ivar hosts: the hosts by their names, in the order in which they were made.
    :ivar trace: what happened, if that is written down; else None.
    """

    def __init__(
        self,
        seed: int = 0,
        conditions: Conditions | None = None,
        schedule: Schedule | None = None,
        trace: bool = False,
    ) -> None:
        """Make one without hosts.

        :param seed: what all that is random is drawn from.
        :param conditions: how well everything is carried; at once and without fault, if it is not given.
        :param schedule: what is to go wrong, and when; it brings a seed of its own, and may bring conditions.
        :param trace: write down all that is sent. It costs time and memory.
        :raises TypeError: if *seed*, *conditions* or *schedule* is something else.
        """
        if schedule is not None and not hasattr(schedule, "faults"):
            raise TypeError(f"schedule must be a Schedule, not {schedule!r}")
        if schedule is not None:
            seed, conditions = schedule.seed, schedule.conditions or conditions
        self.network = Network(seed, conditions)
        self._chance: Any = random.Random(seed).getstate()  # noqa: S311 - to be repeated, not to be secret
        self._drawing = False
        self.hosts: dict[str, Host] = {}
        self.trace = Trace() if trace else None
        self._weathers: list[tuple[Conditions]] = []
        self.network.trace = self.trace
        if schedule is not None:
            for fault in schedule.faults:
                self.later(fault.at, lambda fault=fault: fault.strike(self))  # type: ignore[misc]  # the default binds it

    # --- hosts -------------------------------------------------------------------------------------------------------

    def host(self, name: str, address: str | None = None, boot: Callable[[Host], object] | None = None) -> Host:
        """Add a host, and start it.

        :param name: a name that resolvers find, and that faults are scheduled for.
        :param address: a numeric IPv4 or IPv6 address; the next of 10.0.0.0/8, if it is not given.
        :param boot: called with the host each time it starts: what starts its programs.
        :raises TypeError: if *name* or *address* is no text, or *boot* cannot be called.
        :raises ValueError: if there is one of that name or address already, the name is empty or the address not numeric.
        """
        if not isinstance(name, str):
            raise TypeError(f"name must be a text, not {name!r}")
        if not name.strip():
            raise ValueError(f"name must not be empty: a host is found by it; {name!r} was given")
        if address is not None and not isinstance(address, str):
            raise TypeError(f"address must be a text, such as '10.0.0.1', not {address!r}")
        if boot is not None and not callable(boot):
            raise TypeError(f"boot must be callable, with the host, not {boot!r}")
        if name in self.hosts:
            raise ValueError(f"there is a host {name!r} already")
        number = len(self.hosts) + 1
        if address is None:
            address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        elif not isIPAddress(address) and not isIPv6Address(address):
            raise ValueError(f"a host's address is a numeric one, such as 10.0.0.1, not {address!r}")
        machine = self.network.machine(address, name=name)
        made = Host(self, name, address, machine, boot)
        self.hosts[name] = made
        if self.trace is not None:
            self.trace.names[machine.addresses[0]] = name
        made.start()
        return made

    def __getitem__(self, host: Host | str) -> Host:
        """Return the host of a name; a host is returned as it is.

        :raises LookupError: if there is none.
        """
        if isinstance(host, Host):
            return host
        try:
            return self.hosts[host]
        except (KeyError, TypeError):
            raise LookupError(f"there is no host {host!r}; there are {', '.join(self.hosts) or 'none'}") from None

    # --- time --------------------------------------------------------------------------------------------------------

    def seconds(self) -> float:
        """Return the time in seconds since this was made; hosts' own clocks may say otherwise."""
        return self.network.clock.seconds()

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass: every host does at each time what is to be done then.

        :raises ValueError: if it is negative or not finite.
        :raises RuntimeError: if there is always something more to be done at one time.
        """
        with self.chance():
            self.network.advance(seconds)

    @contextmanager
    def chance(self) -> Iterator[None]:
        """Return a context in which :mod:`random` draws from this world's seed; after it, it goes on where it was."""
        if self._drawing:
            yield
            return
        self._drawing, outside = True, random.getstate()
        random.setstate(self._chance)
        try:
            yield
        finally:
            self._drawing, self._chance = False, random.getstate()
            random.setstate(outside)

    def run_until(self, what: Any, timeout: float = 600.0) -> Any:
        """Let time pass until *what* is true, or has fired.

        :param what: a callable without arguments, or a Deferred or coroutine, whose result is returned or raised.
        :param timeout: after how many simulated seconds to give up.
        :raises TimeoutError: if it takes longer, or nothing is to happen any more.
        :raises TypeError: if *what* is something else, or *timeout* no number.
        :raises ValueError: if *timeout* is negative or not finite.
        """
        patience = nanoseconds(checked_duration("timeout", timeout))
        if not (callable(what) or hasattr(what, "addBoth") or hasattr(what, "send")):
            raise TypeError(f"what must be a callable, a Deferred or a coroutine, not {what!r}")
        outcome: list[Any] = []
        if callable(what):
            condition = what
        else:
            from torsion.internet.defer import ensureDeferred

            deferred = ensureDeferred(what) if hasattr(what, "send") else what
            deferred.addBoth(outcome.append)

            def condition() -> bool:
                return bool(outcome)

        with self.chance():
            self._run_until(condition, self.network.clock.now + patience, what)
        if outcome and hasattr(outcome[0], "raiseException"):
            outcome[0].raiseException()
        return outcome[0] if outcome else None

    def _run_until(self, condition: Callable[[], object], limit: int, what: Any) -> None:
        network = self.network
        network.settle()
        while not condition():
            following = network.next_time()
            if following is None or following > limit:
                why = "and nothing is to happen any more" if following is None else "in the time allowed"
                raise TimeoutError(f"at {self.seconds()} s: {what!r} is not yet so, {why}")
            network.clock.move_to(following)
            network.settle()

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Have *action* called in *seconds*, by nobody in particular: it happens to the world.

        :raises TypeError: if *seconds* is no number, or *action* cannot be called.
        :raises ValueError: if *seconds* is negative or not finite.
        """
        delay = nanoseconds(checked_duration("seconds", seconds))
        if not callable(action):
            raise TypeError(f"action must be callable, not {action!r}")

        def act() -> None:
            action()

        self.network.clock.at(self.network.clock.now + delay, act)

    # --- what goes wrong ---------------------------------------------------------------------------------------------

    def cut(self, hosts: Iterable[Host | str], seconds: float | None = None) -> None:
        """Let nothing through between *hosts* and all others; among themselves, both sides go on.

        :param seconds: after how long to :meth:`heal` it; None for never.
        :raises LookupError: if there is no such host.
        :raises TypeError: if *hosts* is not several, or *seconds* is no number.
        :raises ValueError: if *seconds* is negative or not finite.
        """
        check_span(seconds)
        if isinstance(hosts, str | Host):
            raise TypeError(f"hosts must be a list of hosts, such as [{hosts!r}], not {hosts!r}")
        if not hasattr(hosts, "__iter__"):
            raise TypeError(f"hosts must be a list of hosts, not {hosts!r}")
        inside = {self[each].address for each in hosts}
        outside = [each.address for each in self.hosts.values() if each.address not in inside]
        pairs = [(one, other) for one in sorted(inside) for other in outside]
        for one, other in pairs:
            self.network.cut(one, other)
        if seconds is not None:
            self.later(seconds, lambda: self._heal(pairs))

    def _heal(self, pairs: Iterable[tuple[str, str]]) -> None:
        for one, other in pairs:
            self.network.heal(one, other)

    def heal(self) -> None:
        """Undo every :meth:`cut`."""
        self.network.heal()

    def weather(self, conditions: Conditions, seconds: float | None = None) -> None:
        """Have the network carry things otherwise; of several that go on, what came last holds.

        :param conditions: how.
        :param seconds: for how long; None for ever.
        :raises TypeError: if *conditions* are none, or *seconds* is no number.
        :raises ValueError: if *seconds* is negative or not finite.
        """
        check_span(seconds)
        check_conditions("conditions", conditions)
        mine = (conditions,)  # two may be equal, and each ends by itself
        if not self._weathers:
            self._weathers.append((self.network.conditions,))
        self._weathers.append(mine)
        self.network.conditions = conditions

        def end() -> None:
            self._weathers[:] = [each for each in self._weathers if each is not mine]
            self.network.conditions = self._weathers[-1][0]

        if seconds is not None:
            self.later(seconds, end)

    def note(self, text: str, host: Host | str | None = None) -> None:
        """Write something into the trace, if there is one."""
        if self.trace is not None:
            self.trace.add("note", (self._shown(host),), note=text)

    def befalls(self, text: str, host: Host | str | None = None) -> None:
        """Write a fault into the trace, if there is one."""
        if self.trace is not None:
            self.trace.add("fault", (self._shown(host),), note=text)

    def _shown(self, host: Host | str | None) -> str:
        return "network" if host is None else self[host].address

    def picture(self, last: int = 120) -> str:
        """Return the last events of the trace as a sequence diagram, in SVG.

        :raises ValueError: if there is no trace.
        """
        if self.trace is None:
            raise ValueError("nothing was written down: make the world with trace=True")
        return sequence_diagram(self.trace, [(each.address, each.name) for each in self.hosts.values()], last)
