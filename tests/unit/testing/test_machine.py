"""The state machine over client, server and network."""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings

from torsion.internet.protocol import ClientFactory, Factory, Protocol, ReconnectingClientFactory
from torsion.testing.machine import NetworkMachine


class Waits(ReconnectingClientFactory):
    noisy, maxDelay, protocol = False, 60, Protocol

    def buildProtocol(self, addr):
        self.resetDelay()
        return super().buildProtocol(addr)


class Once(ClientFactory):
    noisy, protocol = False, Protocol


class Stays(NetworkMachine):
    """Clients that stay connected."""

    clients = ("one",)
    client: type = Waits

    def start_server(self, host):
        factory = Factory.forProtocol(Protocol)
        factory.noisy = False
        host.reactor.listenTCP(7000, factory)

    def start_client(self, host):
        host.connector = host.reactor.connectTCP("server", 7000, self.client())

    def check_settled(self):
        for name in self.clients:
            assert self.world[name].connector.state == "connected"


class GivesUp(Stays):
    client = Once


TestStays = Stays.TestCase
TestStays.settings = settings(deadline=None, max_examples=10, stateful_step_count=15, derandomize=True)
GivesUp.TestCase.settings = settings(deadline=None, database=None, derandomize=True, phases=[Phase.generate])


def test_one_that_does_not_is_found_and_what_happened_is_shown():
    test = GivesUp.TestCase("runTest")
    with pytest.raises(AssertionError) as raised:
        test.runTest()
    notes = "\n".join(raised.value.__notes__)
    assert "What happened last:" in notes
    assert "FAULT" in notes
