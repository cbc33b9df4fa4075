"""The short way to a WebSocket of a server's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from torsion.internet.defer import Deferred
from torsion.internet.protocol import Protocol, connectionDone
from torsion.web.websocket.client import WebSocketClientEndpoint
from torsion.web.websocket.coroutines import WebSocket
from torsion.web.websocket.errors import ConnectionRejected
from torsion.web.websocket.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torsion.python.failure import Failure
    from torsion.web.http_headers import Headers

__all__ = ["connect"]

SAID: Final = 1024
"""How many bytes of a refusal's body are read: enough for the words that say why."""

SAYING: Final = 5.0
"""Seconds in which they must come."""


class _Start(Protocol):
    """Reads the start of a body."""

    def __init__(self) -> None:
        self.data = b""
        self.done: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        if len(self.data) >= SAID:
            self.connectionLost()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.done.called:
            self.done.callback(None)


async def connect(
    url: str,
    *,
    subprotocols: Iterable[str] = (),
    headers: Headers | Mapping[str, str] | None = None,
    settings: Settings | None = None,
    tlsPolicy: Any = None,
    connectTimeout: float | None = None,
    proxy: str | None = None,
    reactor: Any = None,
) -> WebSocket:
    """Connect to a server's WebSocket.

    :param url: the URL: ``ws://…`` or ``wss://…``.
    :param subprotocols: the names of the sub-protocols that are offered, the best first.
    :param headers: more headers for the request: ``Origin``, ``Cookie``, ``Authorization``.
    :param settings: limits and time-outs.
    :param tlsPolicy: decides whom to trust: an :class:`torsion.web.iweb.IPolicyForHTTPS`; by default as browsers do.
    :param connectTimeout: how many seconds connecting may take; 30 by default.
    :param proxy: the URL of an HTTP proxy to go through, by CONNECT: ``http://proxy.example:3128``.
    :param reactor: the reactor; the current one by default.
    :returns: the WebSocket; ``async with`` closes it.
    :raises ConnectionRejected: if the server answers with something else; its ``body`` has the start of what it says.
    :raises ResponseFailed: if its answer cannot be read, or is none to what was asked; and other errors of
        ``torsion.web.client``, and of endpoints, if there is none.
    :raises ValueError: if the URL names no server.
    :raises ImportError: if wsproto is missing.
    """
    from dataclasses import replace

    from torsion.internet import _current
    from torsion.web.http_headers import Headers as Fields

    reactor = _current.current_reactor() if reactor is None else reactor
    settings = Settings() if settings is None else settings
    offered = tuple(subprotocols)
    if offered:
        settings = replace(settings, subprotocols=offered)
    if headers is not None and not isinstance(headers, Fields):
        headers = Fields({name: [value] for name, value in headers.items()})
    endpoint = WebSocketClientEndpoint.new(
        reactor, url, tlsPolicy, connectTimeout, settings=settings, headers=headers, proxy=proxy
    )
    try:
        socket: WebSocket = await endpoint.connect(_Making())
    except ConnectionRejected as rejected:
        start = _Start()
        rejected.response.deliverBody(start)
        start.done.addTimeout(SAYING, reactor, lambda *_: None)
        await start.done
        rejected.body = start.data[:SAID]
        abort = getattr(getattr(start, "transport", None), "abortConnection", None)
        if abort is not None:
            abort()
        raise
    return socket


class _Making:
    """Makes the client's end."""

    def buildProtocol(self, url: str) -> WebSocket:
        return WebSocket()
