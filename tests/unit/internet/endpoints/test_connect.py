"""Connecting a protocol without a factory of its own; and reactors that lack what an endpoint needs."""

from __future__ import annotations

import pytest

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import (
    AdoptedStreamServerEndpoint,
    HostnameEndpoint,
    ProcessEndpoint,
    SSL4ClientEndpoint,
    SSL4ServerEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    connectProtocol,
)
from torsion.internet.protocol import Factory, Protocol


def test_the_protocol_is_handed_out():
    class Endpoint:
        def connect(self, factory):
            factory.doStart()
            self.protocol = factory.buildProtocol(None)
            self.noisy = factory.noisy
            return deferred

    endpoint, deferred, protocol = Endpoint(), Deferred(), object()
    assert connectProtocol(endpoint, protocol) is deferred
    assert endpoint.protocol is protocol
    assert not endpoint.noisy


@pytest.mark.parametrize(
    "listen",
    [
        TCP4ServerEndpoint(object(), 80).listen,
        TCP6ServerEndpoint(object(), 80, reusePort=True).listen,
        UNIXServerEndpoint(object(), "/a").listen,
        SSL4ServerEndpoint(object(), 443, None).listen,
        AdoptedStreamServerEndpoint(object(), -1, 2).listen,
        TCP4ClientEndpoint(object(), "host.example", 80).connect,
        UNIXClientEndpoint(object(), "/a").connect,
        SSL4ClientEndpoint(object(), "host.example", 443, None).connect,
        ProcessEndpoint(object(), "/bin/x").connect,
        HostnameEndpoint(object(), "host.example", 80).connect,
    ],
)
def test_reactors_that_cannot_do_it_fail_the_deferred(listen):
    found = []
    listen(Factory.forProtocol(Protocol)).addErrback(found.append)
    assert len(found) == 1
