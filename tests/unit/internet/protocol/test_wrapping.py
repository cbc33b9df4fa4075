"""Protocols that stand between a transport and another protocol."""

from __future__ import annotations

import gc
import weakref

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import (
    IConsumer,
    IFileDescriptorReceiver,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocolNegotiationFactory,
    IPushProducer,
    ITransport,
)
from torsion.internet.protocol import ClientFactory, Factory, Protocol, connectionDone
from torsion.internet.protocol.wrapping import ProtocolWrapper, WrappingFactory
from torsion.internet.testing import StringTransport

HOOKS = (IHalfCloseableProtocol, IFileDescriptorReceiver, IHandshakeListener)


@implementer(*HOOKS)
class Everything(Protocol):
    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args: self.calls.append((name, *args))


def connect(factory):
    wrapper = factory.buildProtocol(None)
    transport = StringTransport()
    wrapper.makeConnection(transport)
    return wrapper, transport


def innermost(wrapper):
    while isinstance(wrapper, ProtocolWrapper):
        wrapper = wrapper.wrappedProtocol
    return wrapper


def around(protocol, depth=1):
    factory = Factory.forProtocol(protocol)
    for _ in range(depth):
        factory = WrappingFactory(factory)
    return factory


def test_it_is_the_transport_of_its_protocol():
    wrapper, transport = connect(around(Protocol))
    protocol = wrapper.wrappedProtocol
    assert protocol.transport is wrapper
    for interface in (ITransport, IConsumer, IPushProducer):
        assert verifyObject(interface, wrapper)
    protocol.transport.write(b"a")
    protocol.transport.writeSequence([b"b", b"c"])
    assert transport.value() == b"abc"
    assert (wrapper.getHost(), wrapper.getPeer()) == (transport.getHost(), transport.getPeer())
    protocol.transport.pauseProducing()  # which it does not have itself
    assert transport.producerState == "paused"
    protocol.transport.loseConnection()
    assert transport.disconnecting
    assert wrapper.disconnecting


def test_what_neither_has_is_missing():
    wrapper, _ = connect(around(Protocol))
    with pytest.raises(AttributeError, match=r"StringTransport.*nonsense"):
        wrapper.nonsense()
    with pytest.raises(AttributeError, match="nonsense"):
        around(Protocol).buildProtocol(None).nonsense()


@pytest.mark.parametrize("depth", [1, 3])
def test_optional_hooks_are_passed_on_to_those_who_have_them(depth):
    wrapper, _ = connect(around(Everything, depth))
    for interface in HOOKS:
        assert interface.providedBy(wrapper)
    wrapper.readConnectionLost()
    wrapper.writeConnectionLost()
    wrapper.fileDescriptorReceived(3)
    wrapper.handshakeCompleted()
    assert innermost(wrapper).calls == [
        ("readConnectionLost",),
        ("writeConnectionLost",),
        ("fileDescriptorReceived", 3),
        ("handshakeCompleted",),
    ]


@pytest.mark.parametrize("depth", [1, 3])
def test_optional_hooks_are_not_claimed_for_those_who_do_not(depth):
    wrapper, _ = connect(around(Protocol, depth))
    assert not any(interface.providedBy(wrapper) for interface in HOOKS)


def test_the_factory_knows_the_wrappers_whose_connection_stands():
    factory = around(Protocol)
    assert factory.protocols == {}
    one, _ = connect(factory)
    other, _ = connect(factory)
    never = factory.buildProtocol(None)
    assert set(factory.protocols) == {one, other}
    one.connectionLost(connectionDone)
    never.connectionLost(connectionDone)
    assert set(factory.protocols) == {other}


def test_the_end_is_passed_on_and_leaves_no_ring():
    reasons = []

    class Ending(Protocol):
        def connectionLost(self, reason):
            reasons.append(reason)

    wrapper, _ = connect(around(Ending))
    protocol = weakref.ref(wrapper.wrappedProtocol)
    gc.disable()
    try:
        wrapper.connectionLost(connectionDone)
        assert wrapper.wrappedProtocol is None
        assert protocol() is None
    finally:
        gc.enable()
    assert reasons == [connectionDone]


def test_a_factory_that_makes_no_protocol_is_not_wrapped_around_nothing():
    class Refusing(Factory):
        def buildProtocol(self, addr):
            return None

    assert WrappingFactory(Refusing()).buildProtocol(None) is None


def test_what_a_factory_can_speak_is_what_its_wrappers_can():
    @implementer(IProtocolNegotiationFactory)
    class Speaking(Factory):
        def acceptableProtocols(self):
            return [b"a/2", b"a/1"]

    factory = WrappingFactory(WrappingFactory(Speaking()))
    assert verifyObject(IProtocolNegotiationFactory, factory)
    assert factory.acceptableProtocols() == [b"a/2", b"a/1"]
    assert not IProtocolNegotiationFactory.providedBy(around(Protocol))


def test_names_for_the_log():
    factory = around(Protocol)
    assert factory.logPrefix() == "Factory (WrappingFactory)"
    assert factory.buildProtocol(None).logPrefix() == "Protocol (ProtocolWrapper)"
    assert WrappingFactory(object()).logPrefix() == "object (WrappingFactory)"


def test_factories_of_clients_hear_of_their_connectors():
    class Client(ClientFactory):
        noisy = False

        def __init__(self):
            self.calls = []

        def startFactory(self):
            self.calls.append("startFactory")

        def stopFactory(self):
            self.calls.append("stopFactory")

        def startedConnecting(self, connector):
            self.calls.append(("started", connector))

        def clientConnectionFailed(self, connector, reason):
            self.calls.append(("failed", connector, reason))

        def clientConnectionLost(self, connector, reason):
            self.calls.append(("lost", connector, reason))

    client = Client()
    factory = WrappingFactory(client)
    factory.doStart()
    factory.startedConnecting("connector")
    factory.clientConnectionFailed("connector", "reason")
    factory.clientConnectionLost("connector", "reason")
    factory.doStop()
    assert client.calls == [
        "startFactory",
        ("started", "connector"),
        ("failed", "connector", "reason"),
        ("lost", "connector", "reason"),
        "stopFactory",
    ]
