"""A snapshot of a run: what it tells, in the documented shape, within bounds."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace, UnionType
from typing import get_args, get_origin, get_type_hints, is_typeddict

import pytest

from torsion.application.status import shape
from torsion.application.status.merge import merge
from torsion.application.status.sharing import SHARE
from torsion.application.status.snapshot import Observation, observe, snapshot
from torsion.application.status.watched import LISTED, PROTOCOLS
from torsion.internet.protocol import ClientFactory, Factory, Protocol
from torsion.internet.reactors.memory import MemoryReactor
from torsion.logger import LogLevel
from unit.application.status.sample import sample


def fits(value, kind, where="snapshot"):
    """Assert that *value* is of the declared type, and has no more than that."""
    origin, arguments = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        assert value.keys() == hints.keys(), where
        for name, hint in hints.items():
            fits(value[name], hint, f"{where}.{name}")
    elif origin is list:
        assert isinstance(value, list), where
        for each in value:
            fits(each, arguments[0], f"{where}[]")
    elif origin is dict:
        assert isinstance(value, dict), where
        for name, each in value.items():
            assert isinstance(name, str)
            fits(each, arguments[1], f"{where}[{name!r}]")
    elif origin is tuple:
        assert len(value) == len(arguments), where
        for each, argument in zip(value, arguments, strict=True):
            fits(each, argument, where)
    elif isinstance(kind, UnionType):
        if value is not None:
            fits(value, arguments[0], where)
    else:
        assert isinstance(value, (int, float) if kind is float else kind), (where, value)
        assert not isinstance(value, bool) or kind is bool, where


class Run:
    """As much of a run as is looked at."""

    def __init__(self, **changes):
        self.reactor = MemoryReactor()
        self.options = {"python": None}
        self.state = "ready"
        self.worker = None
        self.reloading = False
        self.supervises = False
        self.observation = None
        self.__dict__.update(changes)


def client(reactor, port, protocol=Protocol):
    made = []
    factory = ClientFactory()
    factory.buildProtocol = lambda address: made.append(protocol()) or made[0]
    reactor.connectTCP("127.0.0.1", port, factory)
    reactor.advance(0)
    return made[0]


def test_the_sample_and_merged_ones_have_the_shape():
    fits(json.loads(json.dumps(sample())), shape.Snapshot)
    merged = merge([sample("0"), sample("1")], master=sample(), missing={"2": "it is starting"})
    fits(json.loads(json.dumps(merged)), shape.Snapshot)


def test_a_run():
    run = Run()
    reactor = run.reactor
    reactor.listenTCP(7000, Factory.forProtocol(Protocol))
    here = client(reactor, 7000)
    here.transport.write(b"12345")
    reactor.callLater(5, print)
    reactor.advance(1)
    told = snapshot(run)
    fits(told, shape.Snapshot)
    json.dumps(told, allow_nan=False)
    assert told["process"]["pid"] == os.getpid()
    assert told["connections"]["open"] == 2  # both ends are in this process
    assert told["connections"]["by_protocol"] == {"torsion.internet.protocol.protocols.Protocol": 2}
    found = sorted(
        (each["listener"].rpartition(":")[2], each["read"], each["age"]) for each in told["connections"]["list"]
    )
    assert found == [("", 0, 1.0), ("7000", 5, 1.0)]
    (port,) = told["listeners"]
    assert (port["accepted"], port["open"]) == (1, 1)
    assert [(each["call"], each["due"]) for each in told["timers"]["list"]] == [("builtins.print", 4.0)]
    assert told["threads"]["pool"] is None
    assert told["threads"]["count"] >= 1


def test_what_the_command_itself_does_is_left_out():
    run = Run()
    reactor = run.reactor
    factory = Factory.forProtocol(Protocol)
    factory.operating = True
    reactor.listenTCP(9000, factory)
    other = type("Channel", (Protocol,), {"operating": True})
    client(reactor, 9000, other)
    told = snapshot(run)
    assert told["connections"]["open"] == 0
    assert told["listeners"] == []


def test_lists_are_bounded_and_totals_exact():
    run = Run()
    reactor = run.reactor
    kinds = iter([type(f"Kind{number // 4}", (Protocol,), {}) for number in range(2 * LISTED)])
    factory = Factory()
    factory.buildProtocol = lambda address: next(kinds)()
    reactor.listenTCP(7000, factory)
    for number in range(LISTED + 10):
        client(reactor, 7000).transport.write(b"x" * number)
        reactor.callLater(100 - number / 10, print)
    reactor.advance(0)
    told = snapshot(run)
    connections = told["connections"]
    assert connections["open"] == 2 * (LISTED + 10)
    assert len(connections["list"]) == LISTED
    assert len(connections["by_protocol"]) == PROTOCOLS + 1
    assert sum(connections["by_protocol"].values()) == connections["open"]
    moved = [each["read"] + each["written"] for each in connections["list"]]
    assert moved == sorted(moved, reverse=True)
    assert told["timers"]["pending"] >= LISTED + 10
    dues = [each["due"] for each in told["timers"]["list"]]
    assert len(dues) == LISTED
    assert dues == sorted(dues)


def test_the_largest_outbox_comes_first():
    run = Run()
    reactor = run.reactor

    class Deaf(Protocol):
        def connectionMade(self):
            self.transport.pauseProducing()

    reactor.listenTCP(7000, Factory.forProtocol(Deaf))
    for _ in range(3):
        client(reactor, 7000).transport.write(b"x" * 1000)
    client(reactor, 7000).transport.write(b"x" * 3_000_000)
    reactor.advance(0)
    told = snapshot(run)["connections"]
    assert told["outbox"] > 0
    assert told["list"][0]["outbox"] == told["outbox"]


@pytest.mark.parametrize(
    ("state", "reloading", "shown"),
    [
        ("starting", False, "starting"),
        ("ready", False, "ready"),
        ("ready", True, "reloading"),
        ("stopping", True, "draining"),
        ("stopped", False, "draining"),
    ],
)
def test_states(state, reloading, shown):
    assert Observation(Run(state=state, reloading=reloading)).state() == shown


def test_what_it_is_called():
    assert snapshot(Run())["name"] == "torsion"
    assert snapshot(Run(options={"python": "/secret/folder/shop.tac"}))["name"] == "torsion -y shop.tac"
    options = type("Command", (dict,), {"subCommand": "echo"})(python=None)
    assert snapshot(Run(options=options))["name"] == "torsion echo"


def test_a_worker_says_which_it_is():
    run = Run(worker="3:17")
    observe(run).errors({"log_level": None})
    assert snapshot(run)["worker"] == "3"


def test_the_log_is_watched_while_that_is_wanted():
    from torsion.logger import Logger

    observation = observe(Run())
    observation.watch_log()
    try:
        Logger("shop").info("seen")
    finally:
        observation.unwatch_log()
    Logger("shop").info("not seen")
    assert observation.snapshot()["log"]["info"] == 1


@pytest.mark.parametrize(("supervises", "count"), [(True, 0), (False, 1)])
def test_what_workers_have_logged_is_counted_by_them(supervises, count):
    observation = Observation(Run(supervises=supervises))
    observation.errors({"log_level": LogLevel.info, "worker": 1, "pid": 4711})
    assert observation.snapshot()["log"]["info"] == count


def test_what_was_slow():
    run = Run(worker="1")
    observe(run).slow = SimpleNamespace(figures=lambda: sample()["slow"])
    told = snapshot(run)["slow"]
    assert (told["threshold"], told["list"][0]["worker"]) == (0.1, "1")


def test_what_takes_long_is_not_done_often():
    """Whoever asks, and however often: a master asks its workers, whose loops are not its own."""
    run = Run()
    reactor = run.reactor
    observation = observe(run)
    gather, gathered = observation._gather, []

    def slowly():
        gathered.append(reactor.seconds())
        reactor.advance(0.25)
        return gather()

    observation._gather = slowly
    first = observation.snapshot()
    assert observation.snapshot() is first
    reactor.advance(SHARE * 0.25 - 0.01)
    assert observation.snapshot() is first
    reactor.advance(0.02)
    assert observation.snapshot() is not first
    assert len(gathered) == 2


def test_a_reactor_that_tells_nothing():
    from torsion.internet.task import Clock

    told = Observation(Run(reactor=Clock())).snapshot()
    fits(told, shape.Snapshot)
    assert told["loop"]["turns"] is None
    assert told["connections"]["open"] == 0


def test_it_goes_with_its_run():
    import gc
    import weakref

    run = Run()
    snapshot(run)
    seen = weakref.ref(run)
    del run
    gc.collect()
    assert seen() is None
