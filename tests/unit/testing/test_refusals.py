"""What simulated networks refuse: at once, before anything has happened, and naming the argument and what was given."""

from __future__ import annotations

import math

import pytest

from torsion.internet.reactors.memory import MemoryReactor, Network
from torsion.testing import Conditions, World
from torsion.testing.network import Crash, Cut, Freeze, Jump, Kill, Slow, Weather
from torsion.testing.searching import find, run
from torsion.testing.strategies import addresses, chunkings, conditions, conversations, cuts, faults, schedules

CONDITIONS = [
    (setting, given, told)
    for settings, values, told in [
        (["jitter"], ["a", None, -1, math.nan, math.inf], "{} is a number of seconds, 0 or more and finite, not {}"),
        (
            ["latency"],
            ["a", None, [0, 1], -1, math.inf, (1,), (2, 1), (0, 1, 2), (0, "b"), ()],
            "{} is a number of seconds, 0 or more and finite, or a tuple of the least and the most, not {}",
        ),
        (["bandwidth"], ["a", 0, -1, math.inf], "{} is a number of bytes a second, more than 0, or None, not {}"),
        (["fragment"], ["a", 1.5, 0], "{} is a whole number of bytes, 1 or more, or None, not {}"),
        (["capacity"], ["a", None, 1.5, 0], "{} is a whole number of bytes, 1 or more, not {}"),
        (["largest"], ["a", None, 1.5, -1], "{} is a whole number of bytes, 0 or more, not {}"),
        (["loss", "duplicate", "reorder"], ["a", None, -0.1, 1.1, math.nan], "{} is a likelihood from 0 to 1, not {}"),
    ]
    for setting in settings
    for given in values
]


@pytest.mark.parametrize(("setting", "given", "told"), CONDITIONS)
def test_conditions_that_cannot_be(setting, given, told):
    with pytest.raises((TypeError, ValueError)) as caught:
        Conditions(**{setting: given})
    assert str(caught.value) == told.format(setting, repr(given))
    if isinstance(given, int | float):
        assert type(caught.value) is (TypeError if given == 1.5 else ValueError)
    elif not isinstance(given, tuple) or "b" in given:
        assert type(caught.value) is TypeError


LASTS = "seconds is a number of seconds, 0 or more and finite, not {}"
CALLS = {
    "seed": (lambda world: World(seed=None), "seed must be a number or a text, so that runs can be repeated, not None"),
    "conditions": (lambda world: World(conditions=0.5), "conditions must be Conditions, not 0.5"),
    "schedule": (lambda world: World(schedule="x"), "schedule must be a Schedule, not 'x'"),
    "network": (lambda world: Network(0, 3), "conditions must be Conditions, not 3"),
    "network's conditions": (
        lambda world: setattr(world.network, "conditions", None),
        "conditions must be Conditions, not None",
    ),
    "between": (lambda world: world.network.between("a", "b", 3), "conditions must be Conditions, not 3"),
    "name": (lambda world: world.host(3), "name must be a text, not 3"),
    "empty name": (lambda world: world.host(""), "name must not be empty: a host is found by it; '' was given"),
    "address": (lambda world: world.host("d", 3), "address must be a text, such as '10.0.0.1', not 3"),
    "boot": (lambda world: world.host("d", boot=3), "boot must be callable, with the host, not 3"),
    "index": (lambda world: world[["a"]], "there is no host ['a']; there are a, b"),
    "advance": (lambda world: world.advance("x"), LASTS.format("'x'")),
    "advance back": (lambda world: world.advance(-1), LASTS.format(-1)),
    "reactor's advance": (lambda world: MemoryReactor().advance(None), LASTS.format(None)),
    "what": (lambda world: world.run_until(3), "what must be a callable, a Deferred or a coroutine, not 3"),
    "timeout": (
        lambda world: world.run_until(list, "x"),
        "timeout is a number of seconds, 0 or more and finite, not 'x'",
    ),
    "timeout's size": (
        lambda world: world.run_until(list, math.inf),
        "timeout is a number of seconds, 0 or more and finite, not inf",
    ),
    "later": (lambda world: world.later(-1, list), LASTS.format(-1)),
    "action": (lambda world: world.later(1, 3), "action must be callable, not 3"),
    "cut": (lambda world: world.cut(["a"], -1), LASTS.format(-1)),
    "cut of a name": (lambda world: world.cut("a"), "hosts must be a list of hosts, such as ['a'], not 'a'"),
    "cut of a number": (lambda world: world.cut(3), "hosts must be a list of hosts, not 3"),
    "weather": (lambda world: world.weather(3), "conditions must be Conditions, not 3"),
    "weather's time": (lambda world: world.weather(Conditions(loss=1), -1), LASTS.format(-1)),
    "kill": (lambda world: world["a"].kill(-1), LASTS.format(-1)),
    "kill in text": (lambda world: world["a"].kill("x"), LASTS.format("'x'")),
    "crash": (lambda world: world["a"].crash(math.nan), LASTS.format("nan")),
    "freeze": (lambda world: world["a"].freeze(-1), LASTS.format(-1)),
    "jump": (lambda world: world["a"].jump("x"), "seconds is a finite number of seconds, not 'x'"),
    "jump's size": (lambda world: world["a"].jump(math.inf), "seconds is a finite number of seconds, not inf"),
    "pace": (
        lambda world: world["a"].read_slowly("x"),
        "pace is a number of bytes a second, more than 0, or None, not 'x'",
    ),
    "pace's time": (lambda world: world["a"].read_slowly(10, -1), LASTS.format(-1)),
    "fault's time": (lambda world: Kill(host="a", at=-1), "at is a number of seconds, 0 or more and finite, not -1"),
    "fault's text": (lambda world: Cut(at="x"), "at is a number of seconds, 0 or more and finite, not 'x'"),
    "fault's end": (lambda world: Crash(host="a", seconds=-1), LASTS.format(-1)),
    "freezing": (lambda world: Freeze(host="a", seconds="x"), LASTS.format("'x'")),
    "jumping": (lambda world: Jump(host="a", seconds="x"), "seconds is a finite number of seconds, not 'x'"),
    "slowing": (
        lambda world: Slow(host="a", pace=0),
        "pace is a number of bytes a second, more than 0, or None, not 0",
    ),
    "cutting": (
        lambda world: Cut(hosts="a"),
        "hosts must be several names, such as ('server', 'client'), not 'a'",
    ),
    "schedules": (
        lambda world: schedules("a"),
        "hosts must be several names, such as ('server', 'client'), not 'a'",
    ),
    "faults": (lambda world: faults(["a"], within="x"), "within is a number of seconds, 0 or more and finite, not 'x'"),
    "scenario": (lambda world: run(3), "scenario must be callable, with the world, not 3"),
    "scenario to find": (lambda world: find(3), "scenario must be callable, with the world, not 3"),
    "hosts to find": (
        lambda world: find(print, "a"),
        "hosts must be several names, such as ('server', 'client'), not 'a'",
    ),
    "conditions to find": (
        lambda world: find(print, conditions=0.5),
        "conditions must be Conditions, or a hypothesis strategy of them, not 0.5",
    ),
    "weathering": (lambda world: Weather(loss=2), "loss is a likelihood from 0 to 1, not 2"),
}


@pytest.mark.parametrize("case", CALLS)
def test_what_cannot_be_is_refused_and_nothing_happens(case):
    act, told = CALLS[case]
    world = World(trace=True)
    world.host("a")
    world.host("b")
    before = str(world.trace)
    kept = world.network.conditions
    with pytest.raises((TypeError, ValueError, LookupError)) as caught:
        act(world)
    assert str(caught.value) == told
    assert list(world.hosts) == ["a", "b"]
    assert world["a"].up
    assert world["a"].machine.pace is None
    assert world.network.conditions is kept
    assert not world.network.is_cut(world["a"].address, world["b"].address)
    world.advance(1)
    assert (world.seconds(), str(world.trace)) == (1.0, before)


STRATEGIES = [
    (lambda: cuts("x"), TypeError, "most is a whole number of places, 0 or more, not 'x'"),
    (lambda: cuts(-1), ValueError, "most is a whole number of places, 0 or more, not -1"),
    (lambda: chunkings(3), TypeError, "data must be bytes, or a strategy for bytes, not 3"),
    (lambda: chunkings("x"), TypeError, "data must be bytes, or a strategy for bytes, not 'x'"),
    (lambda: chunkings(b"x", 1.5), TypeError, "most is a whole number of places, 0 or more, not 1.5"),
    (lambda: addresses("SCTP"), ValueError, "kind is 'TCP' or 'UDP', not 'SCTP'"),
    (lambda: addresses(v4=False, v6=False), ValueError, "no addresses are left: neither of IPv4 nor of IPv6"),
    (lambda: conversations(b"x", 3), TypeError, "one must be a strategy for messages, such as st.binary(), not b'x'"),
    (lambda: conditions(latency="x"), TypeError, "latency is a number of seconds, 0 or more and finite, not 'x'"),
    (lambda: conditions(loss=2), ValueError, "loss is a likelihood from 0 to 1, not 2"),
    (lambda: conditions(fragment=0), ValueError, "fragment is a whole number of bytes, 1 or more, not 0"),
    (lambda: conditions(capacity=None), TypeError, "capacity is a whole number of bytes, 1 or more, not None"),
    (lambda: schedules(["a"], most=-1), ValueError, "most is a whole number of faults, 0 or more, not -1"),
    (
        lambda: faults(["a"], kinds=[int]),
        ValueError,
        "kinds must name some of Cut, Reset, Kill, Crash, Freeze, Slow, Jump, Weather, not [<class 'int'>]",
    ),
]


@pytest.mark.parametrize(("make", "error", "told"), STRATEGIES)
def test_strategies_for_what_cannot_be(make, error, told):
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == told
