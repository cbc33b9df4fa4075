"""Programs as places to connect to."""

from __future__ import annotations

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from torsion.internet.endpoints import ProcessEndpoint, StandardErrorBehavior
from torsion.internet.endpoints.process import ProcessAddress
from torsion.internet.error import (
    ConnectionDone,
    ConnectionLost,
    NoProtocol,
    ProcessDone,
    ProcessExitedAlready,
    ProcessTerminated,
)
from torsion.internet.interfaces import (
    IAddress,
    IConsumer,
    IHalfCloseableProtocol,
    IPushProducer,
    IStreamClientEndpoint,
    ITransport,
)
from torsion.internet.protocol import Factory, Protocol
from torsion.logger import globalLogPublisher
from torsion.python.failure import Failure


class Process:
    """Notes what is asked of it."""

    def __init__(self):
        self.calls = []
        self.exited = False

    def __getattr__(self, name):
        return lambda *args: self.calls.append((name, *args))

    def signalProcess(self, name):
        if self.exited:
            raise ProcessExitedAlready
        self.calls.append(("signalProcess", name))

    def getPeer(self):
        return "peer"

    def getHost(self):
        return "host"


class Reactor:
    def spawnProcess(self, protocol, *args):
        self.child = protocol
        self.args = args
        self.process = Process()
        protocol.makeConnection(self.process)


@implementer(IHalfCloseableProtocol)
class Application(Protocol):
    def __init__(self):
        self.events = []

    def connectionMade(self):
        self.events.append("made")

    def dataReceived(self, data):
        self.events.append(data)

    def readConnectionLost(self):
        self.events.append("read lost")

    def writeConnectionLost(self):
        self.events.append("write lost")

    def connectionLost(self, reason):
        self.events.append(reason)


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


@pytest.fixture
def reactor():
    return Reactor()


@pytest.fixture
def protocol(reactor):
    [protocol] = results(ProcessEndpoint(reactor, "/bin/x").connect(Factory.forProtocol(Application)))
    return protocol


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


class TestConnect:
    def test_defaults(self, reactor, protocol):
        assert reactor.args == ("/bin/x", (), {}, None, None, None, 0, None)
        assert protocol.events == ["made"]

    def test_options(self, reactor):
        given = ("/bin/x", ["x", "-v"], None, "/tmp", 1, 2, True, {0: "w", 1: "r"})
        endpoint = ProcessEndpoint(reactor, *given)
        assert verifyObject(IStreamClientEndpoint, endpoint)
        assert repr(endpoint) == "<ProcessEndpoint '/bin/x'>"
        endpoint.connect(Factory.forProtocol(Application))
        assert reactor.args == given

    def test_address(self, reactor):
        class Remembering(Factory):
            def buildProtocol(self, addr):
                self.address = addr
                return Application()

        factory = Remembering()
        ProcessEndpoint(reactor, "/bin/x").connect(factory)
        assert verifyObject(IAddress, factory.address)
        assert factory.address == ProcessAddress()
        assert hash(factory.address) == hash(ProcessAddress())
        assert factory.address != "elsewhere"
        assert repr(factory.address) == "ProcessAddress()"

    def test_what_spawning_raises(self):
        class Raising:
            def spawnProcess(self, *_):
                raise ZeroDivisionError

        [failure] = results(ProcessEndpoint(Raising(), "/bin/x").connect(Factory.forProtocol(Application)))
        assert failure.check(ZeroDivisionError)

    def test_no_protocol(self, reactor):
        factory = Factory()
        factory.buildProtocol = lambda addr: None
        [failure] = results(ProcessEndpoint(reactor, "/bin/x").connect(factory))
        assert failure.check(NoProtocol)
        assert not hasattr(reactor, "child")


class TestChild:
    def test_output(self, reactor, protocol):
        reactor.child.childDataReceived(1, b"out")
        reactor.child.childDataReceived(3, b"other")
        assert protocol.events == ["made", b"out"]

    def test_errors_are_logged(self, reactor, protocol, logged):
        reactor.child.childDataReceived(2, b"oh dear")
        [event] = logged
        assert (event["executable"], event["protocol"], event["data"]) == ("/bin/x", protocol, b"oh dear")
        assert "wrote stderr unhandled by" in event["log_format"]
        assert protocol.events == ["made"]

    def test_errors_are_dropped(self, reactor, logged):
        endpoint = ProcessEndpoint(reactor, "/bin/x", errFlag=StandardErrorBehavior.DROP)
        endpoint.connect(Factory.forProtocol(Application))
        reactor.child.childDataReceived(2, b"oh dear")
        assert logged == []

    def test_halves(self, reactor, protocol):
        for descriptor in (0, 1, 2):
            reactor.child.childConnectionLost(descriptor)
        assert protocol.events == ["made", "write lost", "read lost"]

    def test_protocols_that_do_not_care_for_halves(self, reactor):
        ProcessEndpoint(reactor, "/bin/x").connect(Factory.forProtocol(Protocol))
        reactor.child.childConnectionLost(1)

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (ProcessDone(0), ConnectionDone),
            (ProcessTerminated(1), ConnectionLost),
            (ProcessTerminated(signal=9), ConnectionLost),
            (OSError("odd"), ConnectionLost),
        ],
    )
    def test_end(self, reactor, protocol, error, expected):
        reactor.child.processEnded(Failure(error))
        assert type(protocol.events[-1].value) is expected
        assert expected is ConnectionDone or str(error) in str(protocol.events[-1].value)


class TestTransport:
    def test_interfaces(self, protocol):
        for interface in (ITransport, IConsumer, IPushProducer):
            assert verifyObject(interface, protocol.transport)

    @pytest.mark.parametrize(
        ("call", "expected"),
        [
            (("write", b"x"), ("writeToChild", 0, b"x")),
            (("writeSequence", [b"x", b"y"]), ("writeToChild", 0, b"xy")),
            (("loseConnection",), ("loseConnection",)),
            (("loseWriteConnection",), ("closeStdin",)),
            (("registerProducer", "producer", True), ("registerProducer", "producer", True)),
            (("unregisterProducer",), ("unregisterProducer",)),
            (("pauseProducing",), ("pauseProducing",)),
            (("resumeProducing",), ("resumeProducing",)),
            (("stopProducing",), ("stopProducing",)),
        ],
    )
    def test_what_it_passes_on(self, reactor, protocol, call, expected):
        name, *args = call
        getattr(protocol.transport, name)(*args)
        assert reactor.process.calls == [expected]

    def test_abort(self, reactor, protocol):
        protocol.transport.abortConnection()
        reactor.process.exited = True
        protocol.transport.abortConnection()
        assert reactor.process.calls == [("signalProcess", "KILL"), ("loseConnection",), ("loseConnection",)]

    def test_addresses(self, protocol):
        assert (protocol.transport.getPeer(), protocol.transport.getHost()) == ("peer", "host")

    def test_no_addresses(self, reactor, protocol):
        def refuse():
            raise NotImplementedError

        reactor.process.getPeer = reactor.process.getHost = refuse
        assert protocol.transport.getPeer() == protocol.transport.getHost() == ProcessAddress()

    def test_nothing_else(self, protocol):
        assert not hasattr(protocol.transport, "closeStderr")
