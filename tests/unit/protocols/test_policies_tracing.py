"""What goes over connections, written down."""

from __future__ import annotations

from io import StringIO

import pytest

from torsion.internet.protocol import Factory, Protocol, connectionDone
from torsion.internet.testing import StringTransport
from torsion.logger import capturedLogs, formatEvent
from torsion.protocols.policies import SpewingFactory, TrafficLoggingFactory


class Echo(Protocol):
    def dataReceived(self, data):
        self.transport.write(data)
        self.transport.writeSequence(piece for piece in (data, b"!"))


class Kept(TrafficLoggingFactory):
    """Has files in memory."""

    def open(self, name):
        self.name, self.file = name, StringIO()
        return self.file

    def lines(self):
        return self.file.getvalue().splitlines()


def connect(factory):
    protocol = factory.buildProtocol(None)
    transport = StringTransport()
    protocol.makeConnection(transport)
    return protocol, transport


def kept(limit=None):
    return Kept(Factory.forProtocol(Echo), "prefix", limit)


def test_a_line_for_each_event():
    factory = kept()
    protocol, transport = connect(factory)
    protocol.dataReceived(b"\x00hello")
    protocol.wrappedProtocol.transport.loseConnection()
    protocol.connectionLost(connectionDone)
    assert transport.value() == b"\x00hello" * 2 + b"!"
    assert transport.disconnecting
    assert factory.lines() == [
        "*",
        r"C 1: b'\x00hello'",
        r"S 1: b'\x00hello'",
        r"SV 1: [b'\x00hello', b'!']",
        "S 1: *",
        f"C 1: {connectionDone!r}",
    ]
    assert not factory.file.closed


@pytest.mark.parametrize(
    ("limit", "written"),
    [(None, b"x" * 40), (40, b"x" * 40), (20, b"x" * 8 + b"<... elided>"), (5, b"<... elided>"), (0, b"<... elided>")],
)
def test_long_data_is_cut_in_the_file_alone(limit, written):
    factory = kept(limit)
    protocol, transport = connect(factory)
    protocol.dataReceived(b"x" * 40)
    mark = b"!" if limit != 0 else written
    assert factory.lines()[1:] == [f"C 1: {written!r}", f"S 1: {written!r}", f"SV 1: {[written, mark]!r}"]
    assert len(transport.value()) == 81


def test_connections_are_numbered():
    factory = kept()
    connect(factory)
    assert factory.name == "prefix-1"
    protocol, _ = connect(factory)
    assert factory.name == "prefix-2"
    protocol.dataReceived(b"a")
    assert factory.lines()[1] == "C 2: b'a'"
    factory.resetCounter()
    connect(factory)
    assert factory.name == "prefix-1"


def test_files_are_opened_and_closed(tmp_path):
    factory = TrafficLoggingFactory(Factory.forProtocol(Echo), f"{tmp_path}/log")
    protocol, _ = connect(factory)
    protocol.dataReceived(b"a")
    assert "C 1: b'a'\n" in (tmp_path / "log-1").read_text()  # while the connection stands
    protocol.connectionLost(connectionDone)
    assert protocol.logfile.closed


def test_what_a_protocol_does_after_the_end_has_no_file_to_go_to(tmp_path):
    class Late(Echo):
        def connectionLost(self, reason):
            self.transport.write(b"late")

    factory = TrafficLoggingFactory(Factory.forProtocol(Late), f"{tmp_path}/log")
    protocol, transport = connect(factory)
    protocol.connectionLost(connectionDone)
    assert transport.value() == b"late"


def test_reasons_in_any_language():
    factory = kept()
    protocol, _ = connect(factory)

    class Reason:
        def __repr__(self):
            return "naïve \ud800"

    protocol.connectionLost(Reason())
    assert factory.lines()[-1] == r"C 1: na\xefve \ud800"


def test_a_file_that_cannot_be_written_to_costs_nothing():
    class Full(StringIO):
        def write(self, text):
            raise OSError("no space left")

    factory = kept()
    protocol, transport = connect(factory)
    protocol.logfile = Full()
    protocol.dataReceived(b"a")
    assert transport.value() == b"aa!"


def test_a_file_that_cannot_be_opened_costs_the_connection(tmp_path):
    factory = TrafficLoggingFactory(Factory.forProtocol(Echo), f"{tmp_path}/no/such/folder")
    with pytest.raises(FileNotFoundError):
        factory.buildProtocol(None)


def test_a_wrapper_that_cannot_be_made_leaves_no_file_open(tmp_path):
    opened = []

    class Factory_(TrafficLoggingFactory):
        def open(self, name):
            opened.append(super().open(name))
            return opened[-1]

        def protocol(self, *args):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Factory_(Factory.forProtocol(Echo), f"{tmp_path}/log").buildProtocol(None)
    assert opened[0].closed


def test_no_protocol_no_file():
    class Refusing(Factory):
        def buildProtocol(self, addr):
            return None

    factory = Kept(Refusing(), "prefix")
    assert factory.buildProtocol(None) is None
    assert not hasattr(factory, "file")


def test_spewing_goes_to_the_log():
    protocol, transport = connect(SpewingFactory(Factory.forProtocol(Echo)))
    with capturedLogs() as events:
        protocol.dataReceived(b"a")
    assert [formatEvent(event) for event in events] == ["Received: b'a'", "Sending: b'a'", "Sending: [b'a', b'!']"]
    assert transport.value() == b"aa!"
