"""Standard input and output as an endpoint."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.endpoints import StandardIOEndpoint
from torsion.internet.error import NoProtocol
from torsion.internet.interfaces import IStreamServerEndpoint
from torsion.internet.protocol import Factory, Protocol


class PipeAddress: ...


class StandardIO:
    def __init__(self, protocol, reactor):
        self.protocol = protocol
        self.reactor = reactor


@pytest.fixture(autouse=True)
def stdio(monkeypatch):
    """A stand-in for the module: the real one takes the test's own input and output."""
    module = ModuleType("torsion.internet.stdio")
    module.StandardIO, module.PipeAddress = StandardIO, PipeAddress
    monkeypatch.setitem(sys.modules, "torsion.internet.stdio", module)


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


class Remembering(Factory):
    protocol = Protocol

    def buildProtocol(self, addr):
        self.address = addr
        return super().buildProtocol(addr)


def test_listen():
    reactor, factory = object(), Remembering()
    endpoint = StandardIOEndpoint(reactor)
    assert verifyObject(IStreamServerEndpoint, endpoint)
    assert repr(endpoint) == "<StandardIOEndpoint>"
    [transport] = results(endpoint.listen(factory))
    assert isinstance(transport, StandardIO)
    assert transport.reactor is reactor
    assert transport.protocol.factory is factory
    assert isinstance(factory.address, PipeAddress)


def test_no_protocol():
    factory = Remembering()
    factory.buildProtocol = lambda _: None
    assert results(StandardIOEndpoint(None).listen(factory))[0].check(NoProtocol)


def test_a_factory_that_raises():
    factory = Remembering()
    factory.buildProtocol = lambda _: 1 / 0
    assert results(StandardIOEndpoint(None).listen(factory))[0].check(ZeroDivisionError)
