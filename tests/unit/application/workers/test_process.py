"""One worker process, as its master has it: a reactor of which nothing runs."""

from __future__ import annotations

import json
import os
import signal

import pytest

from torsion.application.workers.broker import Broker
from torsion.application.workers.membership import BROKER, CHANNEL
from torsion.application.workers.process import Limits, Worker, Workshop, margin
from torsion.internet.defer import fail
from torsion.internet.error import ConnectionDone, ProcessDone, ProcessExitedAlready, ProcessTerminated
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransport
from torsion.logger import capturedLogs, formatEvent
from torsion.python.failure import Failure

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need Unix sockets")

LIMITS = Limits(start=60, ping=5, unanswered=30, dump=2, output=1)


class Transport:
    pid = 4242

    def __init__(self):
        self.signals = []
        self.over = False

    def signalProcess(self, number):
        if self.over:
            raise ProcessExitedAlready
        self.signals.append(number)


class Reactor(Clock):
    """Starts no processes, and joins no sockets."""

    refuse = False

    def __init__(self):
        super().__init__()
        self.joined = []
        self.process = Transport()

    def adoptStreamConnection(self, descriptor, family, factory):
        os.fstat(descriptor)
        protocol = factory.buildProtocol(None)
        transport = StringTransport()
        self.joined.append(transport)
        protocol.makeConnection(transport)

    def spawnProcess(self, protocol, executable, args, env, path, childFDs):
        if self.refuse:
            raise OSError(11, "Resource temporarily unavailable")
        self.spawned = (executable, args, env, path, childFDs)
        for target in childFDs.values():
            if isinstance(target, int):
                os.fstat(target)
        protocol.makeConnection(self.process)
        return self.process


class Watcher:
    number = 1

    def __init__(self):
        self.ready = []
        self.left = []
        self.ends = []

    def worker_ready(self, worker):
        self.ready.append(worker)

    def worker_leaves(self, worker, end):
        self.left.append(end)

    def worker_ended(self, worker, end):
        self.ends.append(end)

    def worker_wants_replacement(self, worker):
        return fail(ValueError("no"))


class World:
    def __init__(self, seal=False, **limits):
        self.reactor = Reactor()
        self.watcher = Watcher()
        shop = Workshop(
            self.reactor,
            Broker(2),
            ["/python", "-m", "torsion"],
            "/folder",
            {"A": "b"},
            LIMITS._replace(**limits),
            seal,
        )
        self.worker = Worker(shop, self.watcher)

    def start(self):
        self.worker.start()
        self.channel, self.desk = self.reactor.joined
        return self

    def receive(self, **message):
        self.worker._channel.dataReceived(json.dumps(message).encode() + b"\n")

    def ready(self):
        self.start().receive(tell="ready", **{"with": {"pid": 4242}})
        return self

    def sent(self):
        lines = self.channel.value().splitlines()
        self.channel.clear()
        return [json.loads(line) for line in lines]

    def exit(self, status=0, signal_number=None):
        reason = ProcessTerminated(status, signal_number) if status or signal_number else ProcessDone(0)
        self.reactor.process.over = True
        self.worker.processExited(Failure(reason))

    def close_outputs(self):
        for descriptor in (1, 2):
            self.worker.childConnectionLost(descriptor)
        self.worker.processEnded(Failure(ProcessDone(0)))

    @property
    def signals(self):
        return self.reactor.process.signals


@pytest.fixture(autouse=True)
def said():
    with capturedLogs() as events:
        yield lambda: [formatEvent(event) for event in events]


def test_it_starts_with_the_command_and_two_ways_to_the_master():
    before = len(os.listdir("/dev/fd"))
    world = World().start()
    executable, args, env, path, childFDs = world.reactor.spawned
    assert (executable, args, path) == ("/python", ["/python", "-m", "torsion"], "/folder")
    assert env == {"A": "b", "TORSION_WORKER": f"1:{CHANNEL}:{BROKER}"}
    assert {**childFDs, 0: 0, CHANNEL: 0, BROKER: 0} == {0: 0, 1: "r", 2: "r", CHANNEL: 0, BROKER: 0}
    assert len(os.listdir("/dev/fd")) == before
    assert world.worker.name == "worker 1 (pid 4242)"


def test_a_process_that_cannot_be_made_leaves_nothing_behind():
    world = World()
    world.reactor.refuse = True
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(OSError):
        world.start()
    assert len(os.listdir("/dev/fd")) == before
    for protocol in (world.worker._channel, world.worker._desk):
        protocol.connectionLost(Failure(ConnectionDone()))
    assert world.reactor.getDelayedCalls() == []


def test_it_has_its_time_to_be_ready(said):
    world = World().start()
    world.reactor.advance(59)
    assert world.signals == []
    world.reactor.advance(1)
    assert world.signals == [signal.SIGABRT]
    world.reactor.advance(2)
    assert world.signals == [signal.SIGABRT, signal.SIGKILL]
    world.exit(signal_number=9)
    world.close_outputs()
    (end,) = world.watcher.ends
    assert (end.how, end.served) == ("not ready within 60 seconds", 0)
    assert world.reactor.getDelayedCalls() == []


def test_it_is_pinged_as_long_as_it_answers():
    world = World().ready()
    assert world.watcher.ready == [world.worker]
    for number in range(1, 4):
        world.reactor.advance(5)
        assert world.sent() == [{"id": number, "ask": "ping", "with": {}}]
        world.reactor.advance(20)
        assert world.sent() == []
        world.receive(id=number, answer=True)
    world.reactor.advance(5)
    world.receive(id=4, error="busy")  # it lives
    world.reactor.advance(5)
    assert len(world.sent()) == 2
    assert world.signals == []


def test_one_that_hangs_writes_down_where_and_is_killed(said):
    world = World().ready()
    world.reactor.pump([5, 29.9])
    assert world.signals == []
    world.reactor.advance(0.1)
    assert world.signals == [signal.SIGABRT]
    world.reactor.advance(2)
    assert world.signals == [signal.SIGABRT, signal.SIGKILL]
    world.exit(signal_number=9)
    (end,) = world.watcher.ends
    assert end.how == "hung for 30 seconds"
    assert end.served == pytest.approx(37)
    assert "worker 1 (pid 4242) hangs: it has not answered for 30 seconds, and is killed" in said()


def test_none_is_pinged_if_they_may_hang():
    world = World(unanswered=0).ready()
    assert world.reactor.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("status", "number", "how"),
    [
        (0, None, "exit status 0"),
        (3, None, "exit status 3"),
        (137, None, "exit status 137, as of a process killed by SIGKILL, which the kernel does when memory runs out"),
        (None, 9, "killed by SIGKILL, as the kernel does when memory runs out"),
        (None, 11, "killed by SIGSEGV"),
        (None, 99, "killed by signal 99"),
        (None, None, "exit status unknown"),
    ],
)
def test_how_it_ended_is_told(status, number, how):
    world = World().ready()
    world.reactor.advance(3)
    if status is None and number is None:
        world.worker.processExited(Failure(ProcessTerminated()))
    else:
        world.exit(status, number)
    (end,) = world.watcher.ends
    assert (end.how, end.served, end.reason()) == (how, 3, how)
    world.close_outputs()
    world.worker._channel.connectionLost(Failure(ConnectionDone()))
    assert len(world.watcher.ends) == 1
    assert world.reactor.getDelayedCalls() == []


def test_what_it_said_last_is_the_reason_why_it_did_not_start():
    world = World().start()
    world.exit(1)
    world.worker.childDataReceived(2, b"Traceback\nOSError: no ")
    assert world.watcher.ends == []
    world.worker.childDataReceived(2, b"disk")
    world.close_outputs()
    (end,) = world.watcher.ends
    assert end.said == ("Traceback", "OSError: no disk")
    assert end.reason() == "OSError: no disk (exit status 1)"
    assert world.reactor.getDelayedCalls() == []


@pytest.mark.parametrize("first", ["channel", "process"])
def test_outputs_that_others_hold_open_are_not_waited_for(first):
    world = World().start()
    if first == "channel":
        world.worker._channel.connectionLost(Failure(ConnectionDone()))
    world.exit(1)
    if first == "process":
        world.worker._channel.connectionLost(Failure(ConnectionDone()))
    world.reactor.advance(1)
    assert len(world.watcher.ends) == 1
    assert world.reactor.getDelayedCalls() == []


def test_it_drains_before_it_is_killed(said):
    world = World(unanswered=0).ready()
    world.worker.drain(10)
    assert world.sent() == [{"id": 1, "ask": "drain", "with": {"seconds": 9}}]
    world.receive(id=1, answer=True)
    world.reactor.advance(9.9)
    assert world.signals == []
    world.reactor.advance(0.1)
    assert world.signals == [signal.SIGKILL]
    assert "worker 1 (pid 4242) has not ended in time, and is killed" in said()
    world.exit(signal_number=9)
    assert world.reactor.getDelayedCalls() == []


def test_without_a_limit_it_may_drain_for_ever():
    world = World(unanswered=0).ready()
    world.worker.drain(None)
    assert world.sent()[0]["with"] == {"seconds": None}
    world.receive(id=1, answer=True)
    assert world.reactor.getDelayedCalls() == []
    world.worker.drain(3)  # somebody has lost patience
    world.reactor.advance(3)
    assert world.signals == [signal.SIGKILL]


def test_one_that_starts_is_asked_by_a_signal():
    world = World().start()
    world.worker.drain(10)
    assert world.signals == [signal.SIGTERM]
    assert world.sent() == []
    world.receive(tell="ready", **{"with": {}})  # too late
    assert world.watcher.ready == []


def test_one_that_does_not_understand_is_asked_by_a_signal():
    world = World(unanswered=0).ready()
    world.worker.drain(None)
    world.receive(id=1, error="'drain' is no request that is known here")
    assert world.signals == [signal.SIGTERM]


def test_one_that_stops_by_itself_says_so():
    world = World().ready()
    world.reactor.advance(3)
    world.receive(tell="stopping")
    world.receive(tell="stopping")
    assert [(end.how, end.served) for end in world.watcher.left] == [("stops by itself", 3)]
    assert world.worker.state == "draining"
    for act in (lambda each: each.worker.retire(), lambda each: each.worker.drain(5)):
        asked = World().ready()
        act(asked)
        asked.receive(tell="stopping")
        assert asked.watcher.left == []


def test_one_that_starts_and_is_to_end_without_a_limit_is_still_to_start_in_time():
    world = World().start()
    world.worker.drain(None)
    world.reactor.pump([60, 2])
    assert world.signals == [signal.SIGTERM, signal.SIGABRT, signal.SIGKILL]


def test_one_that_retires_is_pinged_and_can_be_told_to_drain():
    world = World().ready()
    world.worker.retire()
    assert world.sent() == [{"id": 1, "ask": "retire", "with": {}}]
    world.receive(id=1, answer=True)
    world.reactor.advance(5)
    assert world.sent() == [{"id": 2, "ask": "ping", "with": {}}]
    world.receive(id=2, answer=True)
    world.worker.drain(1)
    assert world.sent() == [{"id": 3, "ask": "drain", "with": {"seconds": 0.9}}]


def test_one_that_has_lost_its_channel_is_given_time_to_end():
    world = World().ready()
    world.worker._channel.connectionLost(Failure(ConnectionDone()))
    world.reactor.advance(29)
    assert world.signals == []
    world.reactor.advance(1)
    assert world.signals == [signal.SIGKILL]


def test_it_is_killed_once():
    world = World().ready()
    world.worker.kill()
    world.exit(signal_number=9)
    world.worker.kill()
    world.worker.drain(1)
    assert world.signals == [signal.SIGKILL]
    assert len(world.watcher.ends) == 1


@pytest.mark.parametrize("seal", [False, True])
def test_what_has_given_up_privileges_opens_nothing_new_once_it_is_ready(seal):
    world = World(seal).start()
    assert world.worker._desk.sealed is False
    world.receive(tell="ready", **{"with": {}})
    assert world.worker._desk.sealed is seal


def test_it_may_ask_for_a_successor():
    world = World().ready()
    world.receive(id=9, ask="replace")
    assert world.sent() == [{"id": 9, "error": "no"}]


def test_the_margin_is_a_tenth_up_to_a_second():
    assert [margin(seconds) for seconds in (0, 1, 5, 60)] == [0, 0.1, 0.5, 1]
