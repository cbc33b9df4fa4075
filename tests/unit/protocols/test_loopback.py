"""Two protocols connected in memory, or by a relay; over sockets they are in tests/contract."""

from __future__ import annotations

import gc
import weakref
from io import StringIO

import pytest
from zope.interface.verify import verifyObject

from torsion.internet import _current
from torsion.internet.error import ConnectionDone
from torsion.internet.interfaces import IAddress, IConsumer, ITransport
from torsion.internet.protocol import Protocol
from torsion.protocols.loopback import LoopbackRelay, collapsingPumpPolicy, loopbackAsync


class Talker(Protocol):
    """Says what it is told to, when it hears something."""

    def __init__(self, *answers, first=()):
        self.answers, self.first = list(answers), first
        self.heard, self.reasons = [], []

    def connectionMade(self):
        for words in self.first:
            self.say(words)

    def say(self, words):
        self.transport.loseConnection() if words is None else self.transport.write(words)

    def dataReceived(self, data):
        self.heard.append(data)
        if self.answers:
            self.say(self.answers.pop(0))

    def connectionLost(self, reason):
        self.reasons.append(reason.value)


class Turns:
    """A reactor that makes the calls of a turn in that turn, and those that these ask for in the next."""

    def __init__(self):
        self.calls = []

    def callLater(self, seconds, function):
        assert seconds == 0
        self.calls.append(function)

    def turn(self):
        calls, self.calls = self.calls, []
        for call in calls:
            call()


@pytest.fixture
def reactor():
    reactor = Turns()
    _current.enter(reactor)
    yield reactor
    _current.leave(reactor)


def connect(server, client, *policy):
    results = []
    loopbackAsync(server, client, *policy).addBoth(results.append)
    return results


@pytest.fixture
def pair(reactor):
    server, client = Talker(), Talker()
    return server, client, connect(server, client)


def test_transports_know_where_they_are(pair):
    server, client, _ = pair
    for transport in (server.transport, client.transport):
        assert verifyObject(ITransport, transport)
        assert verifyObject(IConsumer, transport)
        assert verifyObject(IAddress, transport.getHost())
    assert server.transport.getHost() == client.transport.getPeer()
    assert client.transport.getHost() == server.transport.getPeer()
    assert repr(server.transport.getHost()) == "<loopback server>"


def test_a_dialogue_that_begins_at_once_is_held_at_once(reactor):
    server, client = Talker(b"2", None, first=[b"hello"]), Talker(b"1", b"3")
    assert connect(server, client) == [None]
    assert (client.heard, server.heard) == ([b"hello", b"2"], [b"1", b"3"])
    assert isinstance(server.reasons[0], ConnectionDone)
    assert isinstance(client.reasons[0], ConnectionDone)


def test_what_is_written_later_arrives_later(pair, reactor):
    server, client, results = pair
    client.transport.write(b"a")
    client.transport.writeSequence([b"b", b"c"])
    assert server.heard == []
    reactor.turn()
    assert server.heard == [b"a", b"bc"]
    server.transport.loseConnection()
    assert results == []
    reactor.turn()
    assert results == [None]
    assert reactor.calls == []


@pytest.mark.parametrize("end", ["loseConnection", "abortConnection"])
def test_everything_before_the_end_is_received_and_nothing_after(pair, reactor, end):
    server, client, results = pair
    server.transport.write(b"last")
    client.transport.write(b"crossed it")
    getattr(server.transport, end)()
    assert server.transport.disconnecting
    server.transport.write(b"too late")
    client.answers = [b"pardon?"]
    reactor.turn()
    assert (client.heard, server.heard) == ([b"last"], [b"crossed it"])
    assert (len(client.reasons), len(server.reasons), results) == (1, 1, [None])
    client.transport.write(b"anybody?")
    client.transport.loseConnection()
    reactor.turn()
    assert len(server.reasons) == 1


def test_protocols_that_talk_for_ever_let_the_reactor_have_its_turn(reactor):
    class Ball(Talker):
        def dataReceived(self, data):
            self.heard.append(data)
            self.transport.write(data)

    server, client = Ball(first=[b"o"]), Ball()
    results = connect(server, client)
    some = len(server.heard)
    assert some > 10
    reactor.turn()
    assert len(server.heard) == 2 * some
    client.transport.loseConnection()
    reactor.turn()
    assert results == [None]


def test_a_policy_may_join_what_was_written(reactor):
    server, client = Talker(first=[b"a", b"b", None]), Talker()
    assert connect(server, client, collapsingPumpPolicy) == [None]
    assert client.heard == [b"ab"]


def test_a_policy_sees_what_was_written_and_the_end(reactor):
    calls = []

    def policy(queue, target):
        items = []
        while queue:
            items.append(queue.get())
        calls.append((target, items))

    server, client = Talker(first=[b"a", b"b", None]), Talker(first=[b"c"])
    assert connect(server, client, policy) == [None]
    assert calls == [(client, [b"a", b"b", None]), (server, [b"c"])]


def test_a_policy_may_hold_something_back(reactor):
    def policy(queue, target):
        data = queue.get()
        if data is not None:
            target.dataReceived(data)

    server, client = Talker(first=[b"a", b"b", b"c", None]), Talker(b"1", b"2")
    assert connect(server, client, policy) == [None]
    assert (client.heard, server.heard) == ([b"a", b"b", b"c"], [b"1", b"2"])


def test_after_the_end_nothing_is_left_for_the_collector(reactor):
    gc.collect()
    gc.disable()
    try:
        server, client = Talker(first=[b"a"]), Talker(None)
        assert connect(server, client) == [None]
        gone = weakref.ref(server), weakref.ref(client)
        del server, client
        assert [each() for each in gone] == [None, None]
    finally:
        gc.enable()


@pytest.mark.parametrize("hook", ["connectionMade", "dataReceived", "connectionLost"])
@pytest.mark.parametrize("side", [0, 1])
def test_what_a_protocol_raises_is_what_comes_of_it(reactor, hook, side):
    class Failing(Talker):
        pass

    def fail(*args):
        raise ZeroDivisionError

    setattr(Failing, hook, fail)
    words = [b"a", None] if hook == "connectionLost" else [b"a"]
    pair = [Talker(first=words), Talker(first=words)]
    pair[side] = Failing(first=words)
    [failure] = connect(*pair)
    assert failure.check(ZeroDivisionError)
    assert len(pair[1 - side].reasons) == 1


def test_text_is_refused(pair):
    server, _, _ = pair
    with pytest.raises(TypeError, match="not str"):
        server.transport.write("text")


def test_nothing_is_not_received(pair, reactor):
    server, client, _ = pair
    server.transport.write(b"")
    reactor.turn()
    assert client.heard == []


# --- producers -----------------------------------------------------------------------------------------------------------


class Producer:
    def __init__(self, *pieces):
        self.pieces, self.stopped = list(pieces), False

    def resumeProducing(self):
        self.consumer.write(self.pieces.pop(0))
        if not self.pieces:
            self.consumer.unregisterProducer()

    def stopProducing(self):
        self.stopped = True


def register(producer, transport, streaming):
    producer.consumer = transport
    transport.registerProducer(producer, streaming)
    return producer


def test_a_pull_producer_is_asked_once_a_turn(pair, reactor):
    server, client, _ = pair
    producer = register(Producer(b"a", b"b", b"c"), server.transport, False)
    assert producer.pieces == [b"b", b"c"]
    for _ in range(4):
        reactor.turn()
    assert client.heard == [b"a", b"b", b"c"]
    assert reactor.calls == []


def test_a_push_producer_is_not_asked(pair, reactor):
    server, _, _ = pair
    producer = register(Producer(b"a"), server.transport, True)
    reactor.turn()
    assert producer.pieces == [b"a"]
    with pytest.raises(RuntimeError, match="unregister it first"):
        server.transport.registerProducer(Producer(), True)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_producer_is_stopped_with_the_connection(pair, reactor, streaming):
    server, client, _ = pair
    producer = register(Producer(b"a", b"b", b"c", b"d"), server.transport, streaming)
    client.transport.loseConnection()
    reactor.turn()
    reactor.turn()
    assert producer.stopped
    assert producer.pieces
    late = register(Producer(b"a"), server.transport, streaming)
    assert late.stopped
    assert reactor.calls == []


# --- the relay -----------------------------------------------------------------------------------------------------------


def test_a_relay_hands_over_when_it_is_told():
    target = Talker()
    relay = LoopbackRelay(target)
    assert verifyObject(ITransport, relay)
    relay.write(b"a")
    relay.writeSequence([b"b", b"c"])
    assert target.heard == []
    relay.clearBuffer()
    relay.clearBuffer()
    assert target.heard == [b"abc"]


def test_a_relay_ends_after_what_was_written():
    target = Talker()
    relay = LoopbackRelay(target)
    relay.loseConnection()
    relay.write(b"last")
    assert relay.disconnecting
    relay.clearBuffer()
    relay.clearBuffer()
    relay.loseConnection()
    relay.clearBuffer()
    assert (target.heard, len(target.reasons)) == ([b"last"], 1)


def test_what_a_protocol_writes_to_its_own_relay_waits_for_the_next_time():
    target = Talker(b"again")
    relay = LoopbackRelay(target)
    target.transport = relay
    relay.write(b"once")
    relay.clearBuffer()
    assert target.heard == [b"once"]
    relay.clearBuffer()
    assert target.heard == [b"once", b"again"]


def test_a_relay_asks_its_producer():
    target = Talker()
    relay = LoopbackRelay(target)
    register(Producer(b"a", b"b"), relay, False)
    for _ in range(3):
        relay.clearBuffer()
    assert target.heard == [b"a", b"b"]


def test_a_relay_tells_what_it_does():
    log = StringIO()
    relay = LoopbackRelay(Talker(), log)
    relay.write(b"a")
    relay.clearBuffer()
    assert log.getvalue() == "loopback writing b'a'\nloopback receiving b'a'\n"
    assert relay.logPrefix() == "Loopback('Talker')"
    assert (relay.getHost(), relay.getPeer()) == ("loopback", "loopback")
