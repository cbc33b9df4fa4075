"""Through a proxy."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.internet.error import ConnectionDone
from torsion.internet.protocol import Factory, Protocol
from torsion.web.client import HTTPConnectionPool, ProxyAgent, ProxyRefused, RequestTimedOut, TunnelEndpoint
from torsion.web.http_headers import Headers
from unit.web.client.world import OK, Asked, World


def proxied(**how: Any) -> World:
    world = World()
    world.agent = ProxyAgent(world, world.clock, HTTPConnectionPool(world.clock), **how)
    return world


def test_the_proxy_is_given_the_whole_uri() -> None:
    world = proxied(proxyHeaders=Headers({"Proxy-Authorization": ["Basic x"]}))
    asked = world.get(b"http://far/a?b#c")
    assert world.wire.take() == b"GET http://far/a?b HTTP/1.1\r\nHost: far\r\nProxy-Authorization: Basic x\r\n\r\n"
    world.wire.say(OK)
    assert asked.response.code == 200
    world.get(b"http://farther/")
    assert len(world.wires) == 1, "a proxy's connection is for all places"


def tunnel(world: World, **how: Any) -> tuple[Asked, list[bytes]]:
    got: list[bytes] = []

    class Inside(Protocol):
        def dataReceived(self, data: bytes) -> None:
            got.append(data)

        def connectionLost(self, reason: Any = None) -> None:
            got.append(b"lost")

    endpoint = TunnelEndpoint(world.clock, world, b"far", 443, **how)
    return Asked(endpoint.connect(Factory.forProtocol(Inside))), got


def test_a_tunnel_hands_over_what_follows() -> None:
    world = World()
    asked, got = tunnel(world, headers=Headers({"Proxy-Authorization": ["Basic x"]}))
    assert world.wire.take() == b"CONNECT far:443 HTTP/1.1\r\nHost: far:443\r\nProxy-Authorization: Basic x\r\n\r\n"
    world.wire.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
    asked.response.transport.write(b"out")
    assert world.wire.take() == b"out"
    world.wire.protocol.dataReceived(b"in")
    world.wire.lose(ConnectionDone())
    assert got == [b"in", b"lost"]
    assert world.clock.getDelayedCalls() == []


def test_what_comes_right_behind_the_answer_is_the_tunnels() -> None:
    world = World()
    _, got = tunnel(world)
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")
    assert b"".join(got) == b"early"


@pytest.mark.parametrize("said", [b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", b"SSH-2.0-x\r\n"])
def test_a_proxy_that_refuses(said: bytes) -> None:
    world = World()
    asked, _ = tunnel(world)
    world.wire.say(said)
    assert isinstance(asked.error, ProxyRefused)
    assert not world.wire.open


def test_a_proxy_that_leaves_or_says_nothing() -> None:
    world = World()
    asked, _ = tunnel(world)
    world.wire.lose(ConnectionDone())
    assert isinstance(asked.error, ConnectionDone)
    asked, _ = tunnel(world, timeout=5)
    world.clock.advance(5)
    assert isinstance(asked.error, RequestTimedOut)
    assert not world.wire.open
    asked, _ = tunnel(world)
    asked.deferred.cancel()
    assert not world.wire.open
    assert world.clock.getDelayedCalls() == []
