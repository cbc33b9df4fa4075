"""Requests over the control socket, as the process that is asked sees them."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest

from torsion.application.control.protocol import IDLE_SECONDS, LONGEST_REQUEST, MOST_CONNECTIONS, ControlFactory
from torsion.internet.defer import Deferred, fail, succeed
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransport


class Run:
    """A run that does what it is told to, when the test says so."""

    def __init__(self):
        self.reactor = Clock()
        self.state = "ready"
        self.status = 0
        self.asked = []
        self.outcome = Deferred()

    def reload(self):
        self.asked.append("reload")
        return self.outcome

    def restart(self):
        self.asked.append("restart")
        return self.outcome

    def stop(self):
        self.asked.append("stop")
        return Deferred()


@pytest.fixture
def run():
    return Run()


@pytest.fixture
def factory(run):
    return ControlFactory(run)


def connect(factory):
    protocol = factory.buildProtocol(None)
    protocol.makeConnection(StringTransport())
    return protocol


@pytest.fixture
def asked(factory):
    return connect(factory)


def said(protocol):
    """Return the messages that came since the last time."""
    lines = protocol.transport.value().splitlines()
    protocol.transport.clear()
    return [json.loads(line) for line in lines]


def ask(protocol, what):
    protocol.dataReceived(json.dumps({"do": what}).encode() + b"\n")


def begun(what):
    return {"begun": what, "pid": os.getpid()}


def test_ping(asked):
    ask(asked, "ping")
    assert said(asked) == [begun("ping"), {"done": "ping", "text": "ready"}]


def test_reload(asked, run):
    ask(asked, "reload")
    assert said(asked) == [begun("reload")]
    run.outcome.callback(SimpleNamespace(ok=True, __str__=None))
    (answer,) = said(asked)
    assert answer["done"] == "reload"


@pytest.mark.parametrize(("ok", "key"), [(True, "done"), (False, "failed")])
def test_a_report(asked, run, ok, key):
    class Report:
        def __init__(self):
            self.ok = ok

        def __str__(self):
            return "what was done\nin lines"

    run.outcome = succeed(Report())
    ask(asked, "reload")
    assert said(asked)[1] == {key: "reload", "text": "what was done\nin lines"}


@pytest.mark.parametrize(
    ("result", "pid", "text"),
    [
        (7, 7, f"process 7 has taken the place of process {os.getpid()}"),
        (None, os.getpid(), f"process {os.getpid()} has restarted what it runs"),
    ],
)
def test_restart(asked, run, result, pid, text):
    ask(asked, "restart")
    said(asked)
    run.outcome.callback(result)
    assert said(asked) == [{"done": "restart", "text": text, "pid": pid}]


@pytest.mark.parametrize("what", ["reload", "restart"])
@pytest.mark.parametrize(("problem", "text"), [(ValueError("why not"), "why not"), (ValueError(), "ValueError")])
def test_what_failed(asked, run, what, problem, text):
    run.outcome = fail(problem)
    ask(asked, what)
    assert said(asked)[1] == {"failed": what, "text": text}


def test_what_raises(asked, run):
    def restart():
        raise ValueError("at once")

    run.restart = restart
    ask(asked, "restart")
    assert said(asked)[1] == {"failed": "restart", "text": "at once"}


@pytest.mark.parametrize(("status", "key"), [(0, "done"), (1, "failed")])
def test_stop(asked, factory, run, status, key):
    """The answer comes when all has stopped; those who have asked for nothing are hung up on."""
    other = connect(factory)
    ask(asked, "stop")
    assert run.asked == ["stop"]
    assert said(asked) == [begun("stop")]
    run.status = status
    for each in (asked, other):
        each.stopped()
        assert each.transport.disconnecting
    assert said(asked) == [{key: "stop", "text": f"process {os.getpid()} has stopped, with status {status}"}]
    assert said(other) == []


def test_one_who_does_not_wait(asked, run):
    """What was begun goes on, and nobody is told."""
    ask(asked, "restart")
    asked.connectionLost(None)
    said(asked)
    run.outcome.callback(7)
    assert said(asked) == []


@pytest.mark.parametrize("what", ["dance", "", "__init__", 7, None, ["ping"], {}])
def test_what_nobody_can_do(asked, run, what):
    ask(asked, what)
    (answer,) = said(asked)
    assert answer["failed"] == what
    assert "nothing that can be asked for" in answer["text"]
    ask(asked, "ping")
    assert said(asked)[1]["done"] == "ping"
    assert run.asked == []


@pytest.mark.parametrize("line", [b"", b"ping", b"{}", b"[]", b"7", b"null", b'"do"', b"\xff", b"[" * 4000])
def test_nonsense(asked, line):
    asked.dataReceived(line + b"\n")
    (answer,) = said(asked)
    assert "a request is a JSON object" in answer["text"]
    assert asked.transport.disconnecting


def test_a_long_request(asked):
    asked.dataReceived(b" " * (LONGEST_REQUEST + 1))
    (answer,) = said(asked)
    assert answer == {"failed": None, "text": f"a request has {LONGEST_REQUEST} bytes at most"}
    assert asked.transport.disconnecting


def test_the_longest_request(asked):
    text = b'{"do": "ping"}'
    asked.dataReceived(text + b" " * (LONGEST_REQUEST - len(text)) + b"\n")
    assert said(asked)[1]["done"] == "ping"


def test_too_many(factory):
    all_ = [connect(factory) for _ in range(MOST_CONNECTIONS)]
    more = connect(factory)
    assert "try again later" in said(more)[0]["text"]
    assert more.transport.disconnecting
    more.connectionLost(None)
    all_.pop().connectionLost(None)
    again = connect(factory)
    assert not again.transport.disconnecting


def test_it_is_the_commands_own(factory):
    assert factory.operating


def test_one_who_asks_nothing_does_not_keep_a_place(factory, run):
    idle = [connect(factory) for _ in range(MOST_CONNECTIONS)]
    run.reactor.advance(IDLE_SECONDS - 0.1)
    idle[0].dataReceived(b"half a requ")  # which is none
    ask(idle[1], "ping")
    said(idle[1])
    run.reactor.advance(0.1)
    closed = [each for each in idle if each.transport.disconnecting]
    assert closed == [idle[0], *idle[2:]]
    assert said(idle[0]) == [{"failed": None, "text": f"nothing was asked for in {IDLE_SECONDS:g} seconds"}]
    for each in closed:
        each.connectionLost(None)
    again = connect(factory)
    assert not again.transport.disconnecting
    run.reactor.advance(IDLE_SECONDS)
    assert idle[1].transport.disconnecting


def test_one_who_does_not_read_is_hung_up_on_all_the_same(factory, run):
    idle = connect(factory)
    run.reactor.pump([IDLE_SECONDS, IDLE_SECONDS])
    assert idle.transport.disconnected


@pytest.mark.parametrize("what", ["reload", "restart", "stop"])
def test_one_who_waits_for_an_answer_may_wait(asked, run, what):
    ask(asked, what)
    run.reactor.advance(IDLE_SECONDS * 100)
    assert not asked.transport.disconnecting
    if what == "stop":
        asked.stopped()
    else:
        run.outcome.callback(7)
        run.reactor.advance(IDLE_SECONDS)
    assert asked.transport.disconnecting


def test_nothing_is_left_of_one_who_is_gone(asked, run):
    ask(asked, "restart")
    asked.connectionLost(None)
    run.outcome.callback(7)
    assert run.reactor.getDelayedCalls() == []
