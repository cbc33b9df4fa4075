"""Factories: building, starting and stopping."""

import functools
import pickle

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import ILoggingContext, IProtocolFactory
from torsion.internet.protocol import Factory, Protocol, ServerFactory
from torsion.logger import LogLevel, globalLogPublisher


class Counting(Factory):
    """Notes when it is started and stopped."""

    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs
        self.seen = []

    def startFactory(self):
        self.seen.append(("start", self.numPorts))

    def stopFactory(self):
        self.seen.append(("stop", self.numPorts))


@pytest.fixture
def events():
    seen = []
    globalLogPublisher.addObserver(seen.append)
    yield seen
    globalLogPublisher.removeObserver(seen.append)


def test_interfaces():
    verifyObject(IProtocolFactory, Factory())
    verifyObject(ILoggingContext, Factory())
    assert issubclass(ServerFactory, Factory)


def test_log_prefix():
    assert Counting().logPrefix() == "Counting"


@pytest.mark.parametrize("make", [Protocol, functools.partial(Protocol)])
def test_build(make):
    factory = Factory()
    factory.protocol = make
    one, other = factory.buildProtocol(None), factory.buildProtocol(None)
    assert isinstance(one, Protocol)
    assert one is not other
    assert one.factory is factory


def test_build_of_a_subclass():
    class Echo(Protocol):
        pass

    class EchoFactory(Factory):
        protocol = Echo

    assert isinstance(EchoFactory().buildProtocol(None), Echo)


def test_build_without_a_protocol():
    with pytest.raises(RuntimeError, match="set its 'protocol'"):
        Factory().buildProtocol(None)


def test_for_protocol():
    factory = Counting.forProtocol(Protocol, 1, two=2)
    assert isinstance(factory, Counting)
    assert factory.protocol is Protocol
    assert (factory.args, factory.kwargs) == ((1,), {"two": 2})
    assert Counting.protocol is None


def test_start_and_stop_with_several_ports():
    factory = Counting()
    factory.doStart()
    factory.doStart()
    factory.doStop()
    assert factory.seen == [("start", 0)]
    factory.doStop()
    assert factory.seen == [("start", 0), ("stop", 0)]
    factory.doStart()
    assert factory.seen[2:] == [("start", 0)]


def test_a_stop_too_many_does_nothing():
    factory = Counting()
    factory.doStop()
    assert factory.numPorts == 0
    assert factory.seen == []


def test_start_that_raises_leaves_it_unstarted():
    class Broken(Factory):
        def startFactory(self):
            raise ZeroDivisionError

    factory = Broken()
    with pytest.raises(ZeroDivisionError):
        factory.doStart()
    assert factory.numPorts == 0


def test_log(events):
    factory = Factory()
    factory.doStart()
    factory.doStart()
    factory.doStop()
    factory.doStop()
    assert [event["log_format"] for event in events] == ["Starting factory {factory!r}", "Stopping factory {factory!r}"]
    for event in events:
        assert event["factory"] is factory
        assert event["log_source"] is factory
        assert event["log_level"] is LogLevel.info
        assert event["log_namespace"] == "torsion.internet.protocol.factory.Factory"


def test_a_quiet_one(events):
    factory = Counting()
    factory.noisy = False
    factory.doStart()
    factory.doStop()
    assert events == []
    assert len(factory.seen) == 2


def test_pickling():
    factory = Factory.forProtocol(Protocol)
    again = pickle.loads(pickle.dumps(factory))
    assert again.protocol is Protocol
