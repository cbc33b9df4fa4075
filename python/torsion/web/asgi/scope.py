"""What an application is told of a request."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote_to_bytes

__all__ = ["VERSIONS", "make_scope", "make_socket_scope"]

VERSIONS: Final = {"version": "3.0", "spec_version": "2.3"}
"""Of ASGI, and of its description of HTTP.  From 2.4 on frameworks stop to listen for clients that leave while they stream, and
learn of it only when they send: a stream that waits for an event would stay with nobody to read it."""


def _address(address: Any) -> tuple[str, int] | None:
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    return None if host is None or port is None else (host, port)


def _fields(request: Any) -> list[tuple[bytes, bytes]]:
    """Return the fields of a request, in the order in which they came, if nobody has changed them since."""
    head = getattr(request, "_head", None)
    if head is not None and request._requestHeaders is None:
        return [(name.lower(), value) for name, value in head.fields]
    return [(name.lower(), value) for name, values in request.requestHeaders.getAllRawHeaders() for value in values]


def make_scope(request: Any, state: dict[str, Any] | None) -> dict[str, Any]:
    """Return the scope of a request.

    :param request: an ``iweb.IRequest``; what has been used up of its path is the application's root.
    :param state: what the application has put into the state of its lifespan; None if it has none.
    """
    target: bytes = request.uri
    path, _, query = target.partition(b"?")
    if path[:1] != b"/":
        path = request.path
    prepath = request.prepath
    scope = {
        "type": "http",
        "asgi": VERSIONS,
        "http_version": request.clientproto[5:].decode("latin-1"),
        "method": request.method.decode("latin-1").upper(),
        "scheme": "https" if request.isSecure() else "http",
        "path": (unquote_to_bytes(path) if b"%" in path else path).decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": query,
        "root_path": (b"/" + b"/".join(prepath)).decode("utf-8", "replace") if prepath else "",
        "headers": _fields(request),
        "client": _address(request.getClientAddress()),
        "server": _address(request.getHost()),
        "extensions": {},
    }
    if state is not None:
        scope["state"] = state.copy()
    return scope


def make_socket_scope(request: Any, state: dict[str, Any] | None) -> dict[str, Any]:
    """Return the scope of a request that asks for a WebSocket; see :func:`make_scope`."""
    scope = make_scope(request, state)
    del scope["method"]
    names = [value.decode("latin-1") for name, value in scope["headers"] if name == b"sec-websocket-protocol"]
    scope["type"] = "websocket"
    scope["scheme"] = "wss" if scope["scheme"] == "https" else "ws"
    scope["subprotocols"] = [word for name in names for each in name.split(",") if (word := each.strip())]
    scope["extensions"] = {"websocket.http.response": {}}
    return scope
