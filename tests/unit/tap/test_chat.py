"""The chat server's protocol."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import IPushProducer
from torsion.internet.testing import StringTransport
from torsion.tap.chat import LONGEST_LINE, LONGEST_NAME, ChatFactory


class Talker:
    """One end of a conversation."""

    def __init__(self, factory):
        self.protocol = factory.buildProtocol(None)
        self.transport = StringTransport()
        self.protocol.makeConnection(self.transport)

    def hears(self):
        lines = self.transport.value().decode().splitlines()
        self.transport.clear()
        return lines

    def says(self, text):
        self.protocol.dataReceived(text.encode() + b"\n")


@pytest.fixture
def factory():
    return ChatFactory()


@pytest.fixture
def two(factory):
    one, two = Talker(factory), Talker(factory)
    one.hears()
    two.hears()
    return one, two


def test_coming_and_going(factory):
    one = Talker(factory)
    assert one.hears()[0].startswith("* you are guest1")
    two = Talker(factory)
    assert two.hears()[0].startswith("* you are guest2")
    assert one.hears() == ["* guest2 has come"]
    two.protocol.connectionLost()
    assert one.hears() == ["* guest2 has gone"]
    assert two.hears() == []


def test_talk(two):
    one, other = two
    one.says("hello")
    assert other.hears() == ["<guest1> hello"]
    assert one.hears() == []


@pytest.mark.parametrize("ending", ["\r", " ", ""])
def test_line_endings(two, ending):
    two[0].says("hello" + ending)
    assert two[1].hears() == ["<guest1> hello"]


def test_nothing_is_said_by_empty_lines(two):
    two[0].says("")
    two[0].says("  ")
    assert two[1].hears() == []


def test_nothing_that_a_terminal_obeys(two):
    two[0].protocol.dataReceived(b"\x1b[2Jred\x07 \xff\x9b\n")
    [line] = two[1].hears()
    assert line.isprintable()
    assert "red" in line


class TestNames:
    def test_change(self, two):
        one, other = two
        one.says("/nick ada")
        assert one.hears() == other.hears() == ["* guest1 is now ada"]
        one.says("hello")
        assert other.hears() == ["<ada> hello"]

    @pytest.mark.parametrize("name", ["", "two words", "x" * (LONGEST_NAME + 1), "<ada>", "*"])
    def test_impossible(self, two, name):
        one, other = two
        one.says(f"/nick {name}")
        assert one.hears() == [f"* a name has up to {LONGEST_NAME} letters, digits, - and _"]
        assert other.hears() == []

    def test_taken(self, two):
        two[0].says("/nick guest2")
        assert two[0].hears() == ["* guest2 is here already"]

    def test_guests_do_not_get_a_name_that_is_taken(self, factory):
        Talker(factory).says("/nick guest2")
        assert Talker(factory).protocol.name == "guest3"


def test_who(two):
    two[0].says("/who")
    assert two[0].hears() == ["* here are guest1, guest2"]
    assert two[1].hears() == []


def test_quit(two):
    two[0].says("/quit")
    assert two[0].transport.disconnecting
    assert two[0].transport.producer is None


def test_unknown_command(two):
    two[0].says("/dance now")
    assert two[0].hears()[0].startswith("* there is no /dance")


@pytest.mark.parametrize("line", [b"x" * (LONGEST_LINE + 1) + b"\n", b"x" * (3 * LONGEST_LINE)])
def test_long_lines(two, line):
    two[0].protocol.dataReceived(line)
    assert two[0].hears() == [f"* a line has up to {LONGEST_LINE} bytes"]
    assert two[0].transport.disconnecting
    assert two[1].hears() == []


def test_one_who_does_not_read_misses_lines(two):
    one, other = two
    producer = other.transport.producer
    assert verifyObject(IPushProducer, producer)
    assert other.transport.streaming
    producer.pauseProducing()
    for _ in range(3):
        one.says("hello")
    assert other.hears() == []
    producer.resumeProducing()
    assert other.hears() == ["* you were too slow for 3 lines"]
    one.says("again")
    assert other.hears() == ["<guest1> again"]
    producer.pauseProducing()
    producer.resumeProducing()
    assert other.hears() == []
    producer.stopProducing()
