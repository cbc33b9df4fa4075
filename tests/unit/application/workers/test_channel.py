"""What the master and a worker say to each other."""

from __future__ import annotations

import json

import pytest

from torsion.application.workers import channel
from torsion.application.workers.channel import (
    LONGEST_LINE,
    MOST_REQUESTS,
    PATIENCE,
    Channel,
    ChannelLost,
    Refused,
    Unanswered,
)
from torsion.internet.defer import Deferred
from torsion.internet.error import ConnectionDone
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransport
from torsion.logger import LogLevel, capturedLogs
from torsion.python.failure import Failure


class End:
    """One end, its clock and what it wrote."""

    def __init__(self, **requests):
        self.clock = Clock()
        self.lost = 0
        self.channel = Channel(self.clock, "worker 7", requests, self._lost)
        self.transport = StringTransport()
        self.channel.makeConnection(self.transport)

    def _lost(self):
        self.lost += 1

    def receive(self, *messages):
        for message in messages:
            self.channel.dataReceived(json.dumps(message).encode() + b"\n")

    def sent(self):
        lines = self.transport.value().splitlines()
        self.transport.clear()
        return [json.loads(line) for line in lines]

    def end(self):
        self.channel.connectionLost(Failure(ConnectionDone()))


def outcome(deferred):
    results = []
    deferred.addBoth(results.append)
    return results[0] if results else None


def error(deferred):
    failure = outcome(deferred)
    assert isinstance(failure, Failure)
    return failure.value


def test_a_request_and_its_answer():
    end = End()
    asked = end.channel.ask("drain", seconds=3)
    (line,) = end.sent()
    assert line == {"id": 1, "ask": "drain", "with": {"seconds": 3}}
    end.receive({"id": 1, "answer": [1, None]})
    assert outcome(asked) == [1, None]
    assert end.clock.getDelayedCalls() == []


def test_a_refusal_says_why():
    end = End()
    asked = end.channel.ask("reload")
    end.receive({"id": 1, "error": "no such file"})
    problem = error(asked)
    assert isinstance(problem, Refused)
    assert str(problem) == "no such file"


@pytest.mark.parametrize("patience", [None, 2.5])
def test_an_answer_has_its_time(patience):
    end = End()
    asked = end.channel.ask("ping", patience)
    limit = PATIENCE if patience is None else patience
    end.clock.advance(limit - 0.01)
    assert outcome(asked) is None
    end.clock.advance(0.01)
    end.receive({"id": 1, "answer": True})  # too late: ignored
    asked = end.channel.ask("ping", patience)
    end.clock.advance(limit)
    problem = error(asked)
    assert isinstance(problem, Unanswered)
    assert str(problem) == f"worker 7 did not answer 'ping' within {limit:g} seconds"


def test_what_is_unanswered_fails_with_the_end():
    end = End()
    asked = [end.channel.ask("ping") for _ in range(3)]
    end.end()
    assert [type(error(each)) for each in asked] == [ChannelLost] * 3
    assert end.lost == 1
    assert end.clock.getDelayedCalls() == []
    assert isinstance(error(end.channel.ask("ping")), ChannelLost)
    end.channel.tell("ready")
    assert len(end.sent()) == 3


def test_requests_are_served():
    later = Deferred()
    end = End(add=lambda a, b: a + b, wait=lambda: later)
    end.receive({"id": 5, "ask": "wait"}, {"id": 6, "ask": "add", "with": {"a": 1, "b": 2}})
    assert end.sent() == [{"id": 6, "answer": 3}]
    later.callback("done")
    assert end.sent() == [{"id": 5, "answer": "done"}]


def test_what_is_unknown_is_refused():
    end = End()
    end.receive({"id": 5, "ask": "fly"}, {"id": 6, "ask": ["fly"]})
    assert [line["error"] for line in end.sent()] == [
        "'fly' is no request that is known here",
        "['fly'] is no request that is known here",
    ]


def test_a_handler_that_raises_is_logged_and_told_of():
    def fail():
        raise ValueError("bad line 3")

    def refuse():
        raise Refused("not now")

    end = End(fail=fail, refuse=refuse, none=lambda: 1)
    with capturedLogs() as events:
        end.receive({"id": 1, "ask": "fail"}, {"id": 2, "ask": "refuse"}, {"id": 3, "ask": "none", "with": {"odd": 1}})
    told = [line["error"] for line in end.sent()]
    assert told[:2] == ["bad line 3", "not now"]
    assert "unexpected keyword" in told[2]
    assert [event["log_failure"].type for event in events if "log_failure" in event] == [ValueError, TypeError]


def test_what_is_told_wants_no_answer():
    told = []

    def ready(pid):
        told.append(pid)

    end = End(ready=ready)
    with capturedLogs() as events:
        end.receive({"tell": "ready", "with": {"pid": 3}}, {"tell": "news"})
    assert told == [3]
    assert end.sent() == []
    assert [event["log_level"] for event in events] == [LogLevel.warn]


def test_requests_are_bounded_in_both_directions():
    end = End(wait=Deferred)
    with capturedLogs():
        for number in range(MOST_REQUESTS + 1):
            end.receive({"id": number, "ask": "wait"})
    assert end.sent() == [{"id": MOST_REQUESTS, "error": f"{MOST_REQUESTS} requests are under way; ask again later"}]
    asked = [end.channel.ask("ping") for _ in range(MOST_REQUESTS + 1)]
    assert isinstance(error(asked[-1]), Refused)
    assert outcome(asked[-2]) is None


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"7",
        b'{"id": "a"}',
        b'{"id": true, "answer": 1}',
        b'{"tell": "x", "with": 3}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_ends_the_channel(line):
    end = End()
    with capturedLogs() as events:
        end.channel.dataReceived(line + b"\n")
    assert end.transport.disconnected
    assert [event["log_level"] for event in events] == [LogLevel.error]


def test_a_line_that_is_too_long_ends_the_channel():
    end = End()
    with capturedLogs() as events:
        for _ in range(LONGEST_LINE // 65536 + 1):
            end.channel.dataReceived(b"x" * 65536)
    assert end.transport.disconnected
    assert len(events) == 1


def test_an_answer_that_cannot_be_told_is_an_error(monkeypatch):
    monkeypatch.setattr(channel, "LONGEST_LINE", 100)
    end = End(odd=object, long=lambda: "x" * 200)
    end.receive({"id": 1, "ask": "odd"}, {"id": 2, "ask": "long"})
    first, second = end.sent()
    assert "cannot be told as JSON" in first["error"]
    assert "100 is the most" in second["error"]


def test_an_answer_after_the_end_goes_nowhere():
    later = Deferred()
    end = End(wait=lambda: later)
    end.receive({"id": 1, "ask": "wait"})
    end.end()
    later.callback(1)
    assert end.sent() == []
    end.channel.close()
    assert not end.transport.disconnecting


def test_an_unknown_answer_is_ignored():
    end = End()
    end.receive({"id": 99, "answer": 1}, {"answer": 1})
    assert not end.transport.disconnecting
