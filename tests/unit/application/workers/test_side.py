"""A worker's side: what its master may ask of it, and what it does without one."""

from __future__ import annotations

import json
import os
import socket
from types import SimpleNamespace

import pytest

from torsion.application.reloading import ReloadReport
from torsion.application.workers.asking import Asking
from torsion.application.workers.membership import Membership
from torsion.application.workers.side import Side
from torsion.internet.defer import fail, succeed
from torsion.internet.error import ConnectionDone
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransport
from torsion.logger import capturedLogs
from torsion.python.failure import Failure

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need Unix sockets")


class Reactor(Clock):
    sockets = None

    def adoptStreamConnection(self, descriptor, family, factory):
        os.fstat(descriptor)
        self.protocol = factory.buildProtocol(None)
        self.transport = StringTransport()
        self.protocol.makeConnection(self.transport)


class Run:
    """As much of a run as a worker's side knows."""

    def __init__(self):
        self.reactor = Reactor()
        self.state = "ready"
        self.grace = 5.0
        self.restarter = None
        self.onReady, self.onStop, self.onReload = [], [], []
        self.did = []
        self.reloaded = succeed(ReloadReport(services=["mail"]))

    def stop(self):
        self.did.append("stop")

    def retire(self):
        self.did.append("retire")

    def reload(self):
        self.did.append("reload")
        return self.reloaded


@pytest.fixture
def worker():
    pairs = [socket.socketpair(), socket.socketpair()]
    run = Run()
    side = Side(run, Membership(1, pairs[0][1].detach(), pairs[1][1].detach()))
    side.fit()

    def receive(**message):
        run.reactor.protocol.dataReceived(json.dumps(message).encode() + b"\n")

    def sent():
        lines = run.reactor.transport.value().splitlines()
        run.reactor.transport.clear()
        return [json.loads(line) for line in lines]

    yield SimpleNamespace(run=run, receive=receive, sent=sent, reactor=run.reactor)
    run.reactor.sockets.close()
    for ours, _ in pairs:
        ours.close()


def test_its_sockets_are_its_masters(worker):
    assert isinstance(worker.reactor.sockets, Asking)
    assert not worker.reactor.sockets.ending
    for hook in worker.run.onStop:
        hook()
    assert worker.reactor.sockets.ending
    assert worker.sent() == [{"tell": "stopping", "with": {}}]


def test_it_says_when_it_is_ready(worker):
    for hook in worker.run.onReady:
        hook()
    assert worker.sent() == [{"tell": "ready", "with": {"pid": os.getpid()}}]


def test_it_answers_when_it_is_alive(worker):
    worker.receive(id=1, ask="ping")
    assert worker.sent() == [{"id": 1, "answer": True}]


@pytest.mark.parametrize(
    ("own", "seconds", "grace"), [(5.0, 3, 3), (5.0, 30, 5.0), (None, 3, 3), (5.0, None, 5.0), (None, None, None)]
)
def test_it_drains_within_what_time_is_left(worker, own, seconds, grace):
    worker.run.grace = own
    worker.receive(id=1, ask="drain", **{"with": {"seconds": seconds}})
    assert worker.run.grace == grace
    assert worker.run.did == ["stop"]
    assert worker.sent() == [{"id": 1, "answer": True}]


def test_when_it_retires_its_ports_are_its_successors(worker):
    worker.receive(id=1, ask="retire")
    assert worker.run.did == ["retire"]
    assert worker.reactor.sockets.ending


def test_a_reload_that_fails_is_told_of(worker):
    worker.receive(id=1, ask="reload")
    worker.run.reloaded = fail(ValueError("line 3 of the configuration"))
    with capturedLogs():
        worker.receive(id=2, ask="reload")
    first, second = worker.sent()
    assert first["answer"]["services"] == ["mail"]
    assert second == {"id": 2, "error": "line 3 of the configuration"}


def test_to_be_restarted_is_to_be_replaced(worker):
    results = []
    worker.run.restarter().addBoth(results.append)
    (line,) = worker.sent()
    assert line["ask"] == "replace"
    worker.receive(id=line["id"], answer=None)
    assert results == [None]


@pytest.mark.parametrize(("state", "did"), [("starting", ["stop"]), ("ready", ["stop"]), ("stopping", [])])
def test_without_a_master_it_stops(worker, state, did):
    worker.run.state = state
    with capturedLogs() as events:
        worker.reactor.protocol.connectionLost(Failure(ConnectionDone()))
    assert worker.run.did == did
    assert len(events) == len(did)


def test_descriptors_that_are_no_sockets_are_refused(tmp_path):
    with open(tmp_path / "file", "w") as file:
        number = os.dup(file.fileno())
        try:
            with pytest.raises(OSError):
                Side(Run(), Membership(0, number, number)).fit()
        finally:
            os.close(number)
