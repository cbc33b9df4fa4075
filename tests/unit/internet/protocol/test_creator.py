"""Single connections: when their Deferred fires, and what cancelling it does."""

import pytest

from torsion.internet.defer import CancelledError
from torsion.internet.protocol import ClientCreator, Protocol
from torsion.internet.testing import MemoryReactorClock, StringTransport
from torsion.python.failure import Failure


class Greeter(Protocol):
    """Takes arguments."""

    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs


WAYS = {
    "tcp": (lambda creator: creator.connectTCP("h", 1), "tcpClients", ("h", 1, 30, None), 2),
    "tcp with all": (
        lambda creator: creator.connectTCP("h", 1, timeout=4, bindAddress=("b", 2)),
        "tcpClients",
        ("h", 1, 4, ("b", 2)),
        2,
    ),
    "unix": (lambda creator: creator.connectUNIX("/x"), "unixClients", ("/x", 30, False), 1),
    "unix with all": (lambda creator: creator.connectUNIX("/x", 4, True), "unixClients", ("/x", 4, True), 1),
    "ssl": (lambda creator: creator.connectSSL("h", 1, "context"), "sslClients", ("h", 1, "context", 30, None), 2),
    "ssl with all": (
        lambda creator: creator.connectSSL("h", 1, "context", 4, ("b", 2)),
        "sslClients",
        ("h", 1, "context", 4, ("b", 2)),
        2,
    ),
}


@pytest.fixture(params=WAYS)
def attempt(request):
    """Begin a connection; return the reactor, the Deferred, the factory, and a list of what the Deferred fires with."""
    connect, where, expected, place = WAYS[request.param]
    reactor = MemoryReactorClock()
    deferred = connect(ClientCreator(reactor, Greeter, 1, two=2))
    (arguments,) = getattr(reactor, where)
    assert arguments[:place] + arguments[place + 1 :] == expected
    fired = []
    deferred.addBoth(fired.append)
    return reactor, deferred, arguments[place], fired


def test_success(attempt):
    reactor, _, factory, fired = attempt
    protocol = factory.buildProtocol(None)
    assert isinstance(protocol, Greeter)
    assert (protocol.args, protocol.kwargs) == ((1,), {"two": 2})
    protocol.makeConnection(StringTransport())
    assert fired == []  # not within the call that makes the connection
    reactor.advance(0)
    assert fired == [protocol]


def test_failure(attempt):
    reactor, _, factory, fired = attempt
    reason = Failure(ZeroDivisionError())
    factory.clientConnectionFailed(reactor.connectors[0], reason)
    assert fired == []
    reactor.advance(0)
    assert fired == [reason]


def test_a_second_connection_gets_no_protocol(attempt):
    reactor, _, factory, fired = attempt
    factory.buildProtocol(None)
    assert factory.buildProtocol(None) is None
    factory.clientConnectionFailed(reactor.connectors[0], Failure(ZeroDivisionError()))
    reactor.advance(0)
    assert len(fired) == 1
    assert isinstance(fired[0], Greeter)


def gives_up(reactor, deferred, fired):
    """Cancel, and tell whether all was called off."""
    deferred.cancel()
    assert fired[0].check(CancelledError)
    assert reactor.getDelayedCalls() == []
    return reactor.connectors[0]._disconnected


def test_cancel_while_connecting(attempt):
    reactor, deferred, factory, fired = attempt
    assert gives_up(reactor, deferred, fired)
    factory.clientConnectionFailed(reactor.connectors[0], Failure(ZeroDivisionError()))
    assert factory.buildProtocol(None) is None
    assert reactor.getDelayedCalls() == []


def test_cancel_when_connected(attempt):
    reactor, deferred, factory, fired = attempt
    factory.buildProtocol(None).makeConnection(StringTransport())
    assert gives_up(reactor, deferred, fired)


def test_cancel_when_failed(attempt):
    reactor, deferred, factory, fired = attempt
    factory.clientConnectionFailed(reactor.connectors[0], Failure(ZeroDivisionError()))
    gives_up(reactor, deferred, fired)


def test_the_factory_is_quiet_and_says_what_it_is(attempt):
    _, _, factory, _ = attempt
    assert not factory.noisy
    assert repr(factory).startswith("<ClientCreator factory: <")
