"""Servers of HTTP/2 that want HTTP/1.1 for some of their requests, as those do that ask for a certificate then."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementer

pytest.importorskip("h2")

from h2.errors import ErrorCodes

from torsion.internet.defer import Deferred, succeed
from torsion.internet.error import ConnectingCancelledError
from torsion.internet.interfaces import IProtocolNegotiationFactory, ISSLTransport
from torsion.web.client import Agent, BadResponse, ResponseFailed
from torsion.web.http_headers import Headers
from unit.web.client.http2world import World2
from unit.web.client.test_protocol import Producer
from unit.web.client.world import OK, Asked, Wire, read


@implementer(ISSLTransport)
class Secure(Wire):
    """A connection with TLS, which has agreed upon a version."""

    negotiatedProtocol: bytes | None = None

    def getPeerCertificate(self) -> None:
        """There is none."""


class Both(World2):
    """A server that speaks both versions, and HTTP/2 with those that offer it."""

    def __init__(self) -> None:
        super().__init__()
        self.agent = Agent.usingEndpointFactory(self.clock, self, self.pool, http2=True)

    def connect(self, factory: Any) -> Deferred[Any]:
        wire = Secure()
        if IProtocolNegotiationFactory.providedBy(factory):
            wire.negotiatedProtocol = factory.acceptableProtocols()[0]
        protocol = wire.protocol = factory.buildProtocol(None)
        self.wires.append(wire)
        protocol.makeConnection(wire)
        protocol.handshakeCompleted()
        return succeed(protocol)

    def meet(self) -> None:
        """Have a server at the end of the one wire of HTTP/2."""
        wires, self.wires = self.wires, self.wires[:1]
        super().meet()
        self.wires = wires

    def ask(self, method: bytes = b"GET", **more: Any) -> Asked:
        return self.get(b"https://a/", method, **more)

    def wants_http11(self, number: int) -> None:
        self.server.h2.reset_stream(number, ErrorCodes.HTTP_1_1_REQUIRED)
        self.server.flush()


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_request_for_which_it_wants_http11(method: bytes) -> None:
    world = Both()
    asked, other = world.ask(method), world.ask()
    world.wants_http11(1)
    assert world.wires[1].take().startswith(method + b" / HTTP/1.1\r\n")
    world.wires[1].say(OK)
    assert asked.response.version == (b"HTTP", 1, 1)
    assert read(asked.response).got == b"ok"
    world.server.answer(3, b"two")
    assert read(other.response).got == b"two"
    world.ask()
    world.wants_http11(5)
    assert len(world.wires) == 2, "that connection is kept as others are"
    assert world.wires[1].take().startswith(b"GET")


def test_a_body_that_has_not_begun_is_sent_then() -> None:
    world = Both()
    producer = Producer(2)
    asked = world.ask(b"PUT", headers=Headers({"Expect": ["100-continue"]}), body=producer)
    world.wants_http11(1)
    world.wires[1].say(b"HTTP/1.1 100 Continue\r\n\r\n")
    producer.consumer.write(b"ab")
    producer.done.callback(None)
    assert world.wires[1].take().endswith(b"\r\n\r\nab")
    world.wires[1].say(OK)
    assert asked.response.code == 200


def test_a_body_that_has_begun_is_not_sent_twice() -> None:
    world = Both()
    asked = world.ask(b"PUT", body=Producer(2))
    world.wants_http11(1)
    assert asked.error.reasons[0].check(BadResponse)
    assert len(world.wires) == 1


def test_with_prior_knowledge_there_is_nothing_else() -> None:
    world = World2()
    asked = world.get()
    world.server.h2.reset_stream(1, ErrorCodes.HTTP_1_1_REQUIRED)
    world.server.flush()
    assert isinstance(asked.error, ResponseFailed)
    assert "HTTP/1.1" in str(asked.error.reasons[0].value)


def test_who_finds_out_what_a_server_speaks_may_leave() -> None:
    world = World2()
    attempts: list[Deferred[Any]] = []

    def connect(factory: Any) -> Deferred[Any]:
        attempts.append(Deferred(lambda made: made.errback(ConnectingCancelledError(None))))
        return attempts[-1]

    played, world.connect = world.connect, connect  # type: ignore[method-assign]  # a server that takes its time
    first, second, third = (world.get() for _ in range(3))
    assert len(attempts) == 1
    world.connect = played  # type: ignore[method-assign]  # as well
    first.deferred.cancel()
    assert isinstance(first.error, ConnectingCancelledError)
    world.clock.advance(0)
    world.meet()
    assert len(world.wires) == 1
    world.server.answer(1)
    world.server.answer(3)
    assert (second.response.code, third.response.code) == (200, 200)


def test_one_connection_at_a_time() -> None:
    world = Both()
    world.pool.maxConnectionsPerHost = 1
    asked = world.ask()
    world.wants_http11(1)
    assert not world.wires[0].open, "it has no requests, and the place is needed"
    world.wires[1].say(OK)
    assert asked.response.code == 200
