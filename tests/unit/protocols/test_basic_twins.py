"""The two twins under the receivers of lines do the same, and the native one takes no short cut that can be seen."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion import _native
from torsion.internet.error import WrongThreadError
from torsion.internet.protocol import BaseProtocol, Factory
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.testing import StringTransport
from torsion.protocols.basic import _delivery

TWINS = [_native, _delivery]
BOTH = pytest.mark.parametrize("twin", TWINS, ids=["native", "pure"])


class Oops(Exception):
    """What a hook raises."""


def receiver(twin, *, only_lines=False):
    """Return a class of receivers that stands on *twin*; *script* has what its hooks are to do, one after the other."""

    class Receiver(BaseProtocol, twin.LineSender):
        delimiter = b"\n"
        MAX_LENGTH = 100
        line_mode = 1
        paused = False

        def __init__(self, script=()):
            self.delivery = twin.LineDelivery()
            self.script = iter(script)
            self.seen = []

        def dataReceived(self, data):
            return (self.delivery.deliver_only_lines if only_lines else self.delivery.deliver)(self, data)

        def hook(self, name, data):
            self.seen.append((name, data))
            action, *rest = next(self.script, ("pass",))
            if action == "raise":
                raise Oops
            if action == "return":
                return rest[0]
            if action == "lose":
                self.transport.loseConnection()
            elif action == "set":
                setattr(self, *rest)
            elif action == "feed":
                self.seen.append(self.dataReceived(*rest))
            elif action == "take":
                self.seen.append(self.delivery.take_rest())
            elif action == "send":
                self.sendLine(*rest)
            return None

        def lineReceived(self, line):
            return self.hook("line", line)

        def rawDataReceived(self, data):
            return self.hook("raw", data)

        def lineLengthExceeded(self, line):
            return self.hook("long", line)

    return Receiver


def play(twin, only_lines, script, steps):
    """Return all that can be seen of a receiver on *twin* to which *steps* happen."""
    protocol = receiver(twin, only_lines=only_lines)(script)
    protocol.transport = StringTransport()
    for step in steps:
        try:
            protocol.seen.append(setattr(protocol, *step) if isinstance(step, tuple) else protocol.dataReceived(step))
        except (Oops, ValueError) as error:
            protocol.seen.append((type(error), *error.args))
    return protocol.seen, protocol.delivery.take_rest(), protocol.transport.value()


text = st.lists(
    st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b";", b"aaaa", b"d" * 40, b"e" * 300]), max_size=14
).map(b"".join)
data = text | text.map(bytearray) | text.map(memoryview)
changes = st.one_of(
    st.tuples(st.just("delimiter"), st.sampled_from([b"\n", b"\r\n", b";", b"aa", b"", bytearray(b";")])),
    st.tuples(st.just("MAX_LENGTH"), st.sampled_from([0, 1, 3, 50, 1000, 1 << 80])),
    st.tuples(st.just("line_mode"), st.integers(0, 1)),
    st.tuples(st.just("paused"), st.booleans()),
)
actions = st.one_of(
    st.sampled_from([("pass",), ("raise",), ("lose",), ("take",), ("return", "why"), ("return", 0)]),
    changes.map(lambda change: ("set", *change)),
    st.tuples(st.just("feed"), text),
    st.tuples(st.just("send"), text),
)


@given(st.booleans(), st.lists(actions, max_size=12), st.lists(data | changes, max_size=10))
def test_both_do_the_same(only_lines, script, steps):
    assert play(_native, only_lines, script, steps) == play(_delivery, only_lines, script, steps)


@BOTH
@pytest.mark.parametrize("size", [1, 7, 1000, 1_000_000])
def test_lines_of_a_stream_cut_anywhere(twin, size):
    lines = [b"x" * (number % 90) for number in range(3000)]
    stream = b"\n".join([*lines, b"unfinished"])
    protocol = receiver(twin)()
    for start in range(0, len(stream), size):
        protocol.dataReceived(stream[start : start + size])
    assert [line for _, line in protocol.seen] == lines
    assert protocol.delivery.take_rest() == b"unfinished"


@BOTH
def test_a_limit_may_be_infinite(twin):
    protocol = receiver(twin)()
    protocol.MAX_LENGTH = float("inf")
    protocol.dataReceived(b"x" * 1000 + b"\n")
    assert protocol.seen == [("line", b"x" * 1000)]


@BOTH
def test_what_is_no_bytes_is_refused(twin):
    protocol = receiver(twin)()
    with pytest.raises(TypeError):
        protocol.dataReceived("text\n")
    assert protocol.seen == []


@BOTH
def test_a_hook_that_is_replaced_is_called_from_the_next_line_on(twin):
    protocol = receiver(twin)()
    later = []

    def first(line):
        protocol.lineReceived = later.append

    protocol.lineReceived = first
    protocol.dataReceived(b"1\n2\n3\n")
    assert later == [b"2", b"3"]


def test_the_environment_chooses():
    code = "from torsion.protocols.basic import LineReceiver as R; print(type(R.sendLine).__name__)"
    chosen = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "TORSION_PURE": pure}, capture_output=True, text=True, check=True,
        ).stdout.strip()
        for pure in ("0", "1")
    ]  # fmt: skip
    assert chosen == ["method_descriptor", "function"]


def talk(body):
    """Return what a peer gets of what *body* sends with a native sender, whose transport is a connection."""
    reactor = NativeReactor()
    got, raised = [], []

    class Sender(receiver(_native)):
        def connectionMade(self):
            try:
                body(self, reactor)
            except BaseException as error:
                raised.append(error)
            self.transport.loseConnection()

        def connectionLost(self, reason):
            reactor.stop()

    def read(peer):
        with suppress(ConnectionResetError):
            while more := peer.recv(65536):
                got.append(more)

    port = reactor.listenTCP(0, Factory.forProtocol(Sender), interface="127.0.0.1")
    with socket.create_connection(("127.0.0.1", port.getHost().port), timeout=10) as peer:
        reader = threading.Thread(target=read, args=[peer])
        reader.start()
        reactor.run()
        reader.join()
    if raised:
        raise raised[0]
    return b"".join(got)


def test_lines_and_other_writes_leave_in_order():
    def body(protocol, reactor):
        for _ in range(100):
            protocol.sendLine(b"short")
            protocol.transport.write(b"other;")
            protocol.sendLine(b"")
            protocol.sendLine(b"L" * 3000)

    assert talk(body) == (b"short\nother;\n" + b"L" * 3000 + b"\n") * 100


def test_delimiters_and_lines_that_are_no_bytes():
    def body(protocol, reactor):
        protocol.sendLine(b"1")
        protocol.sendLine(bytearray(b"2"))
        protocol.delimiter = bytearray(b"|")
        protocol.sendLine(b"3")
        protocol.delimiter = b""
        protocol.sendLine(b"4")
        protocol.sendLine(b"")
        with pytest.raises(TypeError):
            protocol.sendLine("text")

    assert talk(body) == b"1\n2\n3|4"


def test_nothing_is_sent_over_an_aborted_connection():
    def body(protocol, reactor):
        protocol.sendLine(b"1")
        protocol.transport.abortConnection()
        protocol.sendLine(b"2")
        protocol.sendLine(b"3")

    assert talk(body) == b""


def test_a_full_outbox_pauses_the_producer():
    class Producer:
        paused = 0

        def pauseProducing(self):
            self.paused += 1

        def resumeProducing(self):
            pass

        def stopProducing(self):
            pass

    def body(protocol, reactor):
        producer = Producer()
        protocol.transport.registerProducer(producer, True)
        protocol.sendLine(b"x" * 63)
        assert producer.paused == 0
        for _ in range(1100):
            protocol.sendLine(b"x" * 63)
        assert producer.paused == 1
        protocol.transport.unregisterProducer()

    assert len(talk(body)) == 1101 * 64


def test_another_thread_is_refused():
    def body(protocol, reactor):
        raised = []

        def send():
            try:
                protocol.sendLine(b"from elsewhere")
            except WrongThreadError as error:
                raised.append(error)

        thread = threading.Thread(target=send)
        thread.start()
        thread.join()
        assert len(raised) == 1

    assert talk(body) == b""


def test_a_write_of_the_transports_own_is_used():
    written = []

    def body(protocol, reactor):
        protocol.sendLine(b"1")
        protocol.transport.write = written.append
        protocol.sendLine(b"2")
        del protocol.transport.write
        protocol.transport.other = "attribute"
        protocol.sendLine(b"3")

    assert (talk(body), written) == (b"1\n3\n", [b"2\n"])


def test_a_write_of_the_transports_class_is_used(monkeypatch):
    written = []

    def body(protocol, reactor):
        protocol.sendLine(b"1")
        with monkeypatch.context() as patch:
            patch.setattr(type(protocol.transport), "write", lambda self, data: written.append(data), raising=False)
            protocol.sendLine(b"2")
        protocol.sendLine(b"3")

    assert (talk(body), written) == (b"1\n3\n", [b"2\n"])


def test_a_disconnecting_of_the_transports_class_is_asked(monkeypatch):
    seen = []

    def body(protocol, reactor):
        protocol.dataReceived(b"1\n2\n")
        with monkeypatch.context() as patch:
            patch.setattr(type(protocol.transport), "disconnecting", True, raising=False)
            protocol.dataReceived(b"3\n4\n")
        seen.extend(protocol.seen)

    talk(body)
    assert seen == [("line", b"1"), ("line", b"2"), ("line", b"3")]


def test_nothing_is_delivered_behind_a_line_that_ends_the_connection():
    seen = []

    def body(protocol, reactor):
        protocol.script = iter([("pass",), ("lose",)])
        protocol.dataReceived(b"1\n2\n3\n")
        seen.extend(protocol.seen)

    talk(body)
    assert seen == [("line", b"1"), ("line", b"2")]


def test_the_sending_half_is_not_made_alone():
    with pytest.raises(TypeError):
        _native.LineSender()
