"""The state machine for strings."""

from torsion.internet.testing import StringTransport
from torsion.logger import LogLevel, capturedLogs
from torsion.protocols.basic import Int8StringReceiver, StatefulStringProtocol


class Machine(StatefulStringProtocol, Int8StringReceiver):
    def __init__(self):
        self.seen = []

    def proto_init(self, string):
        self.seen.append(("init", string))
        return "middle"

    def proto_middle(self, string):
        self.seen.append(("middle", string))
        return string.decode()


def machine():
    protocol = Machine()
    protocol.makeConnection(StringTransport())
    return protocol


def test_each_string_goes_to_the_method_of_the_state():
    protocol = machine()
    assert protocol.state == "init"
    protocol.dataReceived(b"\1a\4init\1b")
    assert protocol.seen == [("init", b"a"), ("middle", b"init"), ("init", b"b")]
    assert protocol.state == "middle"
    assert not protocol.transport.disconnecting


def test_done_closes():
    protocol = machine()
    protocol.dataReceived(b"\1a\4done")
    assert protocol.transport.disconnecting


def test_a_string_in_an_unknown_state_is_logged_and_dropped():
    protocol = machine()
    with capturedLogs() as events:
        protocol.dataReceived(b"\1a\4lost\1b")
    assert protocol.state == "lost"
    [event] = events
    assert (event["log_level"], event["state"]) == (LogLevel.warn, "lost")
