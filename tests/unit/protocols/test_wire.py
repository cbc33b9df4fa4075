"""The small services."""

from __future__ import annotations

import time

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import IProducer, ITransport
from torsion.internet.testing import StringTransport
from torsion.protocols.wire import QOTD, Chargen, Daytime, Discard, Echo, Time, Who


def connect(protocol):
    transport = StringTransport()
    protocol.makeConnection(transport)
    return protocol, transport


def test_echo_says_what_it_hears():
    protocol, transport = connect(Echo())
    protocol.dataReceived(b"a")
    protocol.dataReceived(b"bc")
    assert transport.value() == b"abc"
    assert not transport.disconnecting


def test_echo_reads_no_faster_than_the_peer():
    _, transport = connect(Echo())
    assert (transport.producer, transport.streaming) == (transport, True)


def test_echo_makes_do_with_less_of_a_transport():
    @implementer(ITransport)
    class Plain:
        def write(self, data):
            self.data = data

    transport = Plain()
    protocol = Echo()
    protocol.makeConnection(transport)
    protocol.dataReceived(b"a")
    assert transport.data == b"a"


def test_discard_says_nothing():
    protocol, transport = connect(Discard())
    protocol.dataReceived(b"a")
    assert (transport.value(), transport.disconnecting) == (b"", False)


def test_noise_when_it_is_asked_for():
    protocol, transport = connect(Chargen())
    assert verifyObject(IProducer, protocol)
    assert (transport.producer, transport.streaming) == (protocol, False)
    assert transport.value() == b""
    protocol.resumeProducing()
    protocol.pauseProducing()
    protocol.resumeProducing()
    protocol.stopProducing()
    assert transport.value() == Chargen.noise * 2


@pytest.mark.parametrize(("make", "said"), [(QOTD, b"An apple a day"), (Who, b"root\r\n")])
def test_one_answer_and_the_end(make, said):
    _, transport = connect(make())
    assert transport.value().startswith(said)
    assert transport.value().endswith(b"\r\n")
    assert transport.disconnecting


def test_answers_can_be_overridden():
    class Quote(QOTD):
        def getQuote(self):
            return b"to be"

    class Users(Who):
        def getUsers(self):
            return b"nobody"

    assert connect(Quote())[1].value() == b"to be"
    assert connect(Users())[1].value() == b"nobody"


def test_the_time_for_people(monkeypatch):
    monkeypatch.setattr(time, "gmtime", lambda now=1_000_000_000, real=time.gmtime: real(now))
    _, transport = connect(Daytime())
    assert transport.value() == b"Sun Sep  9 01:46:40 2001\r\n"
    assert transport.disconnecting


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (0, b"\x83\xaa\x7e\x80"),  # 2,208,988,800: the example of RFC 868
        (1_000_000_000.9, b"\xbf\x45\x48\x80"),
        (2**32 - 2_208_988_800, b"\x00\x00\x00\x00"),
    ],
)
def test_the_time_for_machines(monkeypatch, now, said):
    monkeypatch.setattr(time, "time", lambda: now)
    _, transport = connect(Time())
    assert transport.value() == said
    assert transport.disconnecting
