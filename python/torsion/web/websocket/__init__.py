"""WebSocket (RFC 6455): messages both ways over one connection, for servers and for clients.

A server puts a :class:`WebSocketResource` into its tree of resources; a client makes a :class:`WebSocketClientEndpoint`.
What they talk to, the program's side, is a :class:`WebSocketProtocol` at either end; or a coroutine, which has a
:class:`WebSocket`: :func:`connect` returns one, ``WebSocketResource.of(handler)`` calls a handler with each.

``interfaces`` what programs implement and are given · ``coroutines``, ``dialling`` and ``inbox`` the same for coroutines ·
``settings`` limits and time-outs · ``connection`` either end of a connection, and ``assembly`` messages of their parts · ``resource`` the server's handshake · ``client`` and ``asking`` the client's · ``deflate`` how compression is
agreed upon · ``codec`` frames, through the library wsproto, which ``pip install torsion[websocket]`` brings along.
"""

from __future__ import annotations

from torsion.web.websocket.client import WebSocketClientEndpoint
from torsion.web.websocket.coroutines import WebSocket
from torsion.web.websocket.dialling import connect
from torsion.web.websocket.errors import ConnectionRejected, WebSocketBroken, WebSocketClosed
from torsion.web.websocket.interfaces import (
    WebSocketClientFactory,
    WebSocketProtocol,
    WebSocketServerFactory,
    WebSocketTransport,
)
from torsion.web.websocket.resource import WebSocketResource
from torsion.web.websocket.settings import Settings

__all__ = [
    "ConnectionRejected",
    "Settings",
    "WebSocket",
    "WebSocketBroken",
    "WebSocketClientEndpoint",
    "WebSocketClientFactory",
    "WebSocketClosed",
    "WebSocketProtocol",
    "WebSocketResource",
    "WebSocketServerFactory",
    "WebSocketTransport",
    "connect",
]
