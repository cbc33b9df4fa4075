"""How connections come to nothing, and to an end."""

from __future__ import annotations

from typing import Any

from torsion.internet.error import ConnectionDone, ConnectionLost

__all__ = ["ConnectionRejected", "WebSocketBroken", "WebSocketClosed"]


class ConnectionRejected(Exception):
    """A server has answered the wish for a WebSocket with something else.

    :ivar response: its response, an :class:`torsion.web.iweb.IResponse`; its body can be delivered.
    :ivar body: the start of that body, where :func:`torsion.web.websocket.connect` has read it.
    """

    body = b""

    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self.response = response

    def __str__(self) -> str:
        code, phrase = getattr(self.response, "code", "?"), getattr(self.response, "phrase", b"")
        said = f"the server has no WebSocket there: it answered {code} {phrase.decode('latin-1')}".rstrip()
        words = self.body.decode("utf-8", "replace").strip()
        return f"{said}: {words[:200]}" if words else said


class WebSocketClosed(ConnectionDone):
    """Both ends have said that the connection is to be closed (RFC 6455, 7.1.4).

    :ivar code: the status code that the peer has said (7.1.5), of its own or, as most do, in answer to ours: 1000 for all is
        well, 1005 if it said none.
    :ivar reason: its words, mostly none.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"the WebSocket was closed with code {self.code}" + (f": {self.reason}" if self.reason else "")


class WebSocketBroken(ConnectionLost):
    """The connection has ended without a closing handshake: what was sent last may not have arrived.

    :ivar code: the status code that this end has sent, because of what it got or did not get; 1006 if none.
    :ivar reason: why.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"the WebSocket has ended with code {self.code}: {self.reason}"
