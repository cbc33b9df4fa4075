"""A state machine over client, server and network: hypothesis chooses what happens next, and makes a failing run smaller.

Needs ``torsion[testing]``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from torsion.testing.network import Conditions, World

__all__ = ["NetworkMachine"]

A_MOMENT = 0.5
"""How many seconds pass after each thing that befalls the network, and at first: hypothesis may choose rules for long without the
one that lets time pass, and what happens at one moment does not tell much."""

_SOME_TIME = st.sampled_from([0.0, 0.01, 0.1, 1.0, 10.0, 100.0])


class NetworkMachine(RuleBasedStateMachine):
    """A network with a server and some clients, to which anything may happen at any time.

    Subclass it, say what runs on the hosts (:meth:`start_server`, :meth:`start_client`), add rules for what the users of the
    clients do, state what holds at any time (:meth:`check`) and what holds in the end, once the network is well and time has
    passed (:meth:`check_settled`).  ``TestMine = Mine.TestCase`` makes it a test; :attr:`world` has the trace when it fails.

    :cvar clients: the names of the hosts that the clients run on; another host is called ``server``.
    :cvar settling: how many seconds pass, with all hosts up and the network well, before :meth:`check_settled`.
    :ivar world: the simulated network.
    """

    clients: ClassVar[tuple[str, ...]] = ("one", "two")
    settling: ClassVar[float] = 1000.0

    world: World

    # --- what a subclass says ----------------------------------------------------------------------------------------

    def start_server(self, host: Any) -> None:
        """Start the server's programs on *host*, each time that it starts."""
        raise NotImplementedError

    def start_client(self, host: Any) -> None:
        """Start a client's programs on *host*, each time that it starts."""
        raise NotImplementedError

    def check(self) -> None:
        """Assert what holds at any time."""

    def check_settled(self) -> None:
        """Assert what holds once everything is well again and time has passed."""

    # --- what happens ------------------------------------------------------------------------------------------------

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        """Make the world."""
        self.world = World(seed, Conditions(latency=0.01), trace=True)
        self.world.host("server", boot=self.start_server)
        for name in self.clients:
            self.world.host(name, boot=self.start_client)
        self.world.advance(A_MOMENT)

    def _host(self, index: int) -> Any:
        hosts = list(self.world.hosts.values())
        return hosts[index % len(hosts)]

    @rule(seconds=_SOME_TIME)
    def time_passes(self, seconds: float) -> None:
        """Let time pass."""
        self.world.advance(seconds)

    @rule(index=st.integers(0, 5))
    def network_is_cut(self, index: int) -> None:
        """Cut one host off."""
        self.world.befalls("is cut off", self._host(index))
        self.world.cut([self._host(index)])
        self.world.advance(A_MOMENT)

    @rule()
    def network_heals(self) -> None:
        """Undo all cuts."""
        self.world.befalls("heals")
        self.world.heal()
        self.world.advance(A_MOMENT)

    @rule(index=st.integers(0, 5))
    def connections_are_reset(self, index: int) -> None:
        """Reset the connections of one host."""
        self.world.befalls("has its connections reset", self._host(index))
        self._host(index).reset()
        self.world.advance(A_MOMENT)

    @rule(index=st.integers(0, 5))
    def host_crashes(self, index: int) -> None:
        """Take one host's power."""
        self.world.befalls("loses its power", self._host(index))
        self._host(index).crash()
        self.world.advance(A_MOMENT)

    @rule(index=st.integers(0, 5))
    def host_is_killed(self, index: int) -> None:
        """End one host's programs."""
        self.world.befalls("is killed", self._host(index))
        self._host(index).kill()
        self.world.advance(A_MOMENT)

    @rule(index=st.integers(0, 5))
    def host_starts(self, index: int) -> None:
        """Start one host, if it is down."""
        self._host(index).start()
        self.world.advance(A_MOMENT)

    @rule(
        latency=st.sampled_from([0.0, 0.01, 1.0]),
        fragment=st.sampled_from([None, 1, 7]),
        loss=st.sampled_from([0.0, 0.2]),
    )
    def weather_changes(self, latency: float, fragment: int | None, loss: float) -> None:
        """Have the network carry things otherwise."""
        self.world.network.conditions = Conditions(latency=latency, jitter=latency, fragment=fragment, loss=loss)

    # --- what holds --------------------------------------------------------------------------------------------------

    @invariant()
    def holds_at_any_time(self) -> None:
        """Check what the subclass says."""
        if hasattr(self, "world"):
            self._checked(self.check)

    def teardown(self) -> None:
        """Have everything be well, let time pass, and check what the subclass says."""
        if not hasattr(self, "world"):
            return
        self.world.heal()
        self.world.network.conditions = Conditions(latency=0.01)
        for host in self.world.hosts.values():
            host.start()
        self.world.advance(self.settling)
        self._checked(self.check_settled)

    def _checked(self, check: Any) -> None:
        try:
            check()
        except AssertionError as problem:
            lines = str(self.world.trace).splitlines()[-40:]
            problem.add_note("\n".join(["What happened last:", *lines]))
            raise


NetworkMachine.TestCase.settings = settings(deadline=None, max_examples=20, stateful_step_count=20)
