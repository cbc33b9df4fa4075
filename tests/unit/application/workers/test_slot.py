"""A place for one worker, and all of them: what follows when they end, are replaced, or do not start."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from torsion.application.workers import slot as slot_module
from torsion.application.workers.backoff import LONGEST
from torsion.application.workers.channel import ChannelLost
from torsion.application.workers.master import Master, WorkersError
from torsion.application.workers.process import End
from torsion.application.workers.slot import ReplacementFailed, Slot
from torsion.internet.defer import Deferred, fail, succeed
from torsion.internet.task import Clock
from torsion.logger import capturedLogs, formatEvent
from torsion.python.failure import Failure


class Process:
    """Stands in for a worker process."""

    pids = iter(range(100, 10000))

    def __init__(self, shop, watcher):
        self.watcher = watcher
        self.state = "starting"
        self.pid = next(self.pids)
        self.name = f"worker {watcher.number} (pid {self.pid})"
        self.did = []
        self.answers = {}
        shop.made.append(self)
        self.startable = shop.startable

    def start(self):
        if not self.startable:
            raise OSError(11, "Resource temporarily unavailable")

    def ready(self):
        self.state = "ready"
        self.watcher.worker_ready(self)

    def end(self, served=0.0, how="exit status 1", *said):
        self.state = "ended"
        self.watcher.worker_ended(self, End(how, served, said))

    def ask(self, what, patience=None, **arguments):
        return self.answers[what]

    def retire(self):
        self.did.append("retire")
        self.state = "retiring"

    def drain(self, seconds):
        self.did.append(("drain", seconds))
        self.state = "draining"

    def kill(self):
        self.did.append("kill")


class Broker:
    def __init__(self):
        self.served = []
        self.open = True

    def serving(self, slots):
        self.served.append(slots)

    def close(self):
        self.open = False


class World:
    """A master of processes that do nothing."""

    def __init__(self, number=2):
        self.clock = Clock()
        self.broker = Broker()
        self.made = []
        self.startable = True
        shop = SimpleNamespace(reactor=self.clock, broker=self.broker, made=self.made, startable=True)
        self.shop = shop
        self.master = Master(number, shop, lambda: 7.0, lambda *arguments: Slot(*arguments, make=Process))
        self.listening = result(self.master.whenListening())
        self.master.startService()

    @property
    def slots(self):
        return self.master.slots

    def all_ready(self):
        for each in list(self.made):
            each.ready()
        return self


def result(deferred):
    results = []
    deferred.addBoth(results.append)
    return results


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch):
    class Steady(slot_module.Backoff):
        def __init__(self):
            super().__init__(lambda low, high: 1.0)

    monkeypatch.setattr(slot_module, "Backoff", Steady)


@pytest.fixture(autouse=True)
def said():
    with capturedLogs() as events:
        yield lambda: [formatEvent(event) for event in events]


# --- the start -----------------------------------------------------------------------------------------------------------


def test_it_listens_when_all_are_ready():
    world = World(2)
    assert [each.watcher.number for each in world.made] == [0, 1]
    world.made[1].ready()
    assert world.listening == []
    world.made[0].ready()
    assert world.listening == [None]
    assert world.broker.served == [[1], [0, 1]]


def test_if_none_starts_that_is_told_with_the_reason():
    world = World(2)
    world.made[1].end(0, "exit status 1", "Traceback", "OSError: no disk")
    assert world.listening == []
    world.made[0].end(0, "exit status 2")
    (failure,) = world.listening
    assert failure.check(WorkersError)
    assert str(failure.value) == "none of the 2 workers started: worker 1: OSError: no disk (exit status 1)"
    world.clock.advance(100)
    assert len(world.made) == 2


def test_a_single_one_that_does_not_start():
    world = World(1)
    world.made[0].end(0, "exit status 2")
    assert str(world.listening[0].value) == "the worker did not start: worker 0: exit status 2"


def test_if_some_start_the_others_are_started_again():
    world = World(2)
    world.made[0].end()
    world.clock.advance(10)
    assert len(world.made) == 2  # it is not known yet whether any does
    world.made[1].ready()
    assert world.listening == [None]
    world.clock.advance(0)
    assert [each.watcher.number for each in world.made] == [0, 1, 0]


def test_a_process_that_cannot_be_made_counts_as_one_that_ended(said):
    world = World(1).all_ready()
    world.shop.startable = False
    world.made[0].end(20)
    world.clock.advance(0)
    world.clock.advance(0.4)
    assert len(world.made) == 2
    world.shop.startable = True
    world.clock.advance(0.1)
    assert len(world.made) == 3
    assert any("Cannot start worker 0: " in line for line in said())


# --- ends ----------------------------------------------------------------------------------------------------------------


def test_one_that_ends_is_replaced_at_once_and_connections_go_elsewhere(said):
    world = World(2).all_ready()
    world.made[0].end(5, "killed by SIGKILL")
    assert world.broker.served[-1] == [1]
    assert len(world.made) == 2  # not within the call
    world.clock.advance(0)
    world.made[2].ready()
    assert world.broker.served[-1] == [0, 1]
    assert f"{world.made[0].name} has ended: killed by SIGKILL; another is started at once" in said()
    assert world.slots[0].starts == 2


def test_one_that_stops_by_itself_is_replaced_while_it_drains(said):
    world = World(2).all_ready()
    leaving = world.made[0]
    leaving.state = "draining"
    leaving.watcher.worker_leaves(leaving, End("stops by itself", 5))
    assert world.broker.served[-1] == [1]
    world.clock.advance(0)
    world.made[2].ready()
    assert world.broker.served[-1] == [0, 1]
    assert f"{leaving.name} stops by itself; another is started at once" in said()
    leaving.end(6)
    world.clock.advance(100)
    assert len(world.made) == 3


def test_one_that_stops_by_itself_while_it_is_replaced():
    world = World(1).all_ready()
    done = result(world.master.restart())
    world.made[0].watcher.worker_leaves(world.made[0], End("stops by itself", 5))
    world.clock.advance(100)
    assert len(world.made) == 2
    world.made[1].ready()
    assert done == [None]
    assert world.made[0].did == []


def test_a_crash_loop_is_slowed_down_and_recovers(said):
    world = World(1).all_ready()
    delays = []
    for _ in range(9):
        world.made[-1].end(0.1)
        (call,) = world.clock.getDelayedCalls()
        delays.append(call.getTime() - world.clock.seconds())
        world.clock.advance(delays[-1])
        world.made[-1].ready()
    assert delays == pytest.approx([0, 0.5, 1, 2, 4, 8, 16, LONGEST, LONGEST])
    assert said()[-2].endswith("exit status 1, number 9 in a row that did not last; another is started in 30.0 seconds")
    world.made[-1].end(3600)
    world.clock.advance(0)
    assert len(world.made) == 11


# --- replacing -----------------------------------------------------------------------------------------------------------


def test_a_restart_goes_one_after_the_other_and_the_new_one_is_ready_first():
    world = World(2).all_ready()
    old = list(world.made)
    done = result(world.master.restart())
    assert len(world.made) == 3
    assert old[0].did == []
    world.made[2].ready()
    assert old[0].did == ["retire"]
    assert old[1].did == []
    assert len(world.made) == 4
    world.made[3].ready()
    assert old[1].did == ["retire"]
    assert done == [None]
    assert world.broker.served[-1] == [0, 1]
    old[0].end(60)
    assert len(world.made) == 4  # nobody takes the place of one that was replaced
    assert [each["pid"] for each in world.master.figures()] == [world.made[2].pid, world.made[3].pid]


def test_broken_code_leaves_the_old_ones_whole():
    world = World(2).all_ready()
    done = result(world.master.restart())
    world.made[2].end(0, "exit status 1", "SyntaxError: invalid syntax")
    assert str(done[0].value) == (
        "the new worker 0 did not become ready: SyntaxError: invalid syntax (exit status 1); all workers go on as they were"
    )
    assert [each.did for each in world.made] == [[], [], []]
    world.clock.advance(100)
    assert len(world.made) == 3


def test_a_restart_that_fails_half_way_says_so():
    world = World(2).all_ready()
    done = result(world.master.restart())
    world.made[2].ready()
    world.made[3].end()
    assert "only the first 1 of 2 are new" in str(done[0].value)
    assert world.made[1].did == []


def test_two_restarts_at_once_are_refused():
    world = World(2).all_ready()
    first = result(world.master.restart())
    assert result(world.master.restart())[0].check(WorkersError)
    world.made[2].ready()
    world.made[3].ready()
    assert first == [None]
    assert result(world.master.restart()) == []


def test_an_old_one_that_ends_meanwhile_is_not_replaced_twice():
    world = World(1).all_ready()
    done = result(world.master.restart())
    world.made[0].end(30)
    world.clock.advance(100)
    assert len(world.made) == 2
    world.made[1].ready()
    assert done == [None]
    assert world.broker.served[-1] == [0]


def test_if_both_end_there_is_another():
    world = World(1).all_ready()
    done = result(world.master.restart())
    world.made[0].end(30)
    world.made[1].end()
    assert done[0].check(WorkersError)
    world.clock.advance(0)
    assert len(world.made) == 3


def test_a_restart_does_not_wait_for_the_end_of_a_crash_loop():
    world = World(1).all_ready()
    world.made[0].end(1)
    world.clock.advance(0)
    world.made[1].end(1)
    done = result(world.master.restart())
    assert len(world.made) == 3
    world.made[2].ready()
    assert done == [None]
    world.clock.advance(100)
    assert len(world.made) == 3


def test_a_worker_may_ask_to_be_replaced():
    world = World(1).all_ready()
    done = result(world.slots[0].worker_wants_replacement(world.made[0]))
    assert result(world.slots[0].replace())[0].check(ReplacementFailed)  # which is under way
    world.made[1].ready()
    assert done == [None]


def test_one_that_is_starting_is_not_replaced():
    world = World(1)
    assert "just starting" in str(result(world.slots[0].replace())[0].value)


# --- requests ------------------------------------------------------------------------------------------------------------


def test_a_reload_reaches_all_and_names_those_that_failed():
    world = World(3).all_ready()
    for each, answer in zip(world.made, (succeed(True), fail(ChannelLost("gone")), succeed(True)), strict=True):
        each.answers["reload"] = answer
    (failure,) = result(world.master.reload())
    assert str(failure.value) == "1 of 3 workers could not reload: worker 1: gone"
    for each in world.made:
        each.answers["reload"] = succeed(True)
    assert result(world.master.reload()) == [None]


def test_snapshots_are_those_that_came():
    world = World(3).all_ready()
    world.made[2].end(1)
    later = Deferred()
    world.made[0].answers["status"] = later
    world.made[1].answers["status"] = succeed({"worker": 1})
    asked = result(world.master.snapshots())
    assert asked == []
    later.errback(Failure(ChannelLost("gone")))
    assert asked == [[{"worker": 1}]]
    assert [each["state"] for each in world.master.figures()] == ["ready", "ready", "waiting"]


# --- the stop ------------------------------------------------------------------------------------------------------------


def test_a_stop_drains_all_and_starts_no_more():
    world = World(2).all_ready()
    world.master.stopListening()
    assert not world.broker.open
    drained = result(world.master.drain())
    assert [each.did for each in world.made] == [[("drain", 7.0)]] * 2
    world.made[0].end(1, "exit status 0")
    assert drained == []
    world.made[1].end(1, "exit status 0")
    assert drained == [None]
    world.clock.advance(100)
    assert len(world.made) == 2
    assert result(world.master.stopService()) == [None]


def test_a_stop_reaches_old_ones_and_new_ones():
    world = World(1).all_ready()
    world.master.restart()
    world.made[1].ready()
    restart = result(world.master.restart())
    drained = result(world.master.drain())
    assert [each.did[-1] for each in world.made] == [("drain", 7.0)] * 3
    for each in world.made:
        each.end(0)
    assert restart[0].check(WorkersError)
    assert drained == [None]
    assert len(world.made) == 3
    assert result(world.slots[0].replace())[0].check(ReplacementFailed)


def test_what_is_left_is_killed():
    world = World(2).all_ready()
    drained = world.master.drain()
    seen = result(drained)
    drained.cancel()  # the time is over
    assert len(seen) == 1
    stopped = result(world.master.stopService())
    assert [each.did[-1] for each in world.made] == ["kill"] * 2
    for each in world.made:
        each.end(0, "killed by SIGKILL")
    assert stopped == [None]


def test_a_stop_cancels_what_was_to_be_started():
    world = World(1).all_ready()
    world.made[0].end(0)
    world.clock.advance(0)
    world.made[1].end(0)
    assert result(world.master.drain()) == [None]
    world.clock.advance(100)
    assert len(world.made) == 2
