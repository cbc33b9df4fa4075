"""Schedules of faults: as text, as what happens, and looked for."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings

from torsion.internet.defer import Deferred, fail
from torsion.internet.task import deferLater
from torsion.testing import Conditions, Crash, Cut, Freeze, Jump, Kill, Reset, Schedule, Slow, Weather, World
from torsion.testing.searching import REPLAY, LoggedError, find, run, simulated
from torsion.testing.strategies import conditions, schedules
from unit.testing.kit import Hears, joined

HOSTS = ["server", "client"]


@settings(max_examples=50)
@given(schedules(HOSTS))
def test_what_is_shown_can_be_read(schedule):
    assert Schedule.parse(repr(schedule)) == schedule


def test_conditions_are_part_of_it():
    schedule = Schedule(3, (Reset(at=1.5, host="server"),), Conditions(latency=(0.1, 0.2), loss=0.5))
    shown = (
        "Schedule(seed=3, faults=(Reset(at=1.5, host='server'),), conditions=Conditions(latency=(0.1, 0.2), loss=0.5))"
    )
    assert repr(schedule) == shown
    assert Schedule.parse(shown) == schedule
    assert World(schedule=schedule).network.conditions.loss == 0.5


@pytest.mark.parametrize(
    "text",
    ["", "Schedule(", "3", "__import__('os')", "Schedule(seed=1, faults=(Nonsense(at=1),))", "Schedule(quiet=1)"],
)
def test_what_is_no_schedule_is_refused(text):
    with pytest.raises(ValueError, match="this is no schedule of faults"):
        Schedule.parse(text)


def test_every_kind_of_fault_strikes():
    faults = (
        Cut(at=1, hosts=("server",), seconds=1),
        Reset(at=2, host="client"),
        Freeze(at=3, host="server", seconds=1),
        Slow(at=4, host="server", pace=10, seconds=1),
        Jump(at=5, host="client", seconds=-5),
        Weather(at=6, seconds=1, loss=0.5),
        Kill(at=7, host="server", seconds=1),
        Crash(at=8, host="server", seconds=1),
    )
    world = World(schedule=Schedule(faults=faults), trace=True)
    server, client, *_ = joined(world)
    told = [event.note for event in world.trace.events if event.kind == "fault"]
    assert len(told) == len(faults)
    assert server.up
    assert client.reactor.seconds() == 5
    assert world.network.conditions == Conditions()
    assert server.machine.pace is None
    with pytest.raises(LookupError, match="there is no host 'nobody'"):
        World(schedule=Schedule(faults=(Reset(at=1, host="nobody"),))).advance(2)


@settings(max_examples=50, deadline=None)
@given(schedules(HOSTS, within=20), conditions())
def test_no_faults_break_the_simulation_itself(schedule, weather):
    """Whatever is drawn, time passes, nothing raises, and it is the same each time."""

    def once() -> str:
        world = World(schedule=schedule, conditions=weather, trace=True)
        one, other = (world.host(name) for name in HOSTS)
        hears, says = Hears(), Hears()
        made: list = []
        from unit.testing.kit import connect, serve

        serve(one, made)
        connect(other, "server", [])
        one.reactor.listenUDP(53, hears)
        other.reactor.listenUDP(53, says)

        def tick(number: int) -> None:
            says.transport.write(b"%d" % number, (one.address, 53))
            for each in made:
                each.transport.write(bytes(100))
            if number:
                world.later(1, lambda: tick(number - 1))

        tick(30)
        world.advance(2000)
        return str(world.trace)

    assert once() == once()


# --- looking for what fails ------------------------------------------------------------------------------------------


def fragile(world: World) -> None:
    """Fail if the connection does not last."""
    *_, here = joined(world)
    world.advance(20)
    assert here.reason is None, "the connection was lost"


def test_the_smallest_is_found():
    found = find(fragile, HOSTS, seed=1, examples=50)
    assert len(found.schedule.faults) == 1
    assert isinstance(found.error, AssertionError)
    assert "the connection was lost" in found.picture


def test_nothing_is_found_where_nothing_fails():
    assert find(fragile, HOSTS, faults=[Jump], seed=1, examples=10) is None
    assert find(fragile, [], seed=1, examples=2) is None


def test_a_decorated_scenario_is_a_test(tmp_path, monkeypatch):
    monkeypatch.delenv(REPLAY, raising=False)
    test = simulated(HOSTS, faults=[Reset], seed=1, folder=tmp_path)(fragile)
    assert test.__name__ == "fragile"
    with pytest.raises(AssertionError, match="the connection was lost") as raised:
        test()
    notes = "\n".join(raised.value.__notes__)
    assert "TORSION_REPLAY='Schedule(" in notes
    assert "test_schedule.py::fragile" in notes
    picture = next(tmp_path.glob("*.svg"))
    ET.fromstring(picture.read_text(encoding="utf-8"))
    assert "has its connections reset" in next(tmp_path.glob("*.txt")).read_text(encoding="utf-8")


def test_a_schedule_in_the_environment_is_run_alone(tmp_path, monkeypatch):
    runs = []

    @simulated(HOSTS, folder=tmp_path)
    def scenario(world: World) -> None:
        runs.append(world)
        fragile(world)

    monkeypatch.setenv(REPLAY, "Schedule(seed=1, faults=(Kill(at=12.0, host='server'),))")
    with pytest.raises(AssertionError, match="the connection was lost"):
        scenario()
    assert len(runs) == 1
    monkeypatch.setitem(os.environ, REPLAY, "Schedule(seed=1, faults=())")
    scenario()
    assert len(runs) == 2


def test_a_coroutine_is_waited_for():
    async def scenario(world: World) -> None:
        host = world.host("one")
        await deferLater(host.reactor, 5, lambda: None)
        assert world.seconds() == 5

    assert run(scenario).seconds() == 5

    async def never(world: World) -> None:
        await Deferred()

    with pytest.raises(__import__("builtins").TimeoutError):
        run(never)


def test_an_error_that_is_logged_fails_the_run():
    def raises_in_a_hook(world: World) -> None:
        host = world.host("one")
        host.reactor.callLater(1, lambda: 1 / 0)
        world.advance(2)

    with pytest.raises(LoggedError, match="division by zero") as raised:
        run(raises_in_a_hook)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)

    def drops_a_failure(world: World) -> None:
        fail(ValueError("nobody looks"))

    with pytest.raises(LoggedError, match="nobody looks"):
        run(drops_a_failure)
