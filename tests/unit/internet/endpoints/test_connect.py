"""Connecting a protocol without a factory of its own."""

from __future__ import annotations

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import connectProtocol


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
