"""What an application is told of a request."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote_to_bytes

from torsion.web.http.channel import HTTPChannel
from torsion.web.server.request import Request

__all__ = ["VERSIONS", "make_scope", "make_socket_scope"]

VERSIONS: Final = {"version": "3.0", "spec_version": "2.3"}
"""Of ASGI, and of its description of HTTP.  From 2.4 on frameworks stop to listen for clients that leave while they stream, and
learn of it only when they send: a stream that waits for an event would stay with nobody to read it."""

_METHODS: Final = {name.encode("ascii"): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}


def _address(address: Any) -> tuple[str, int] | None:
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    return None if host is None or port is None else (host, port)


def _connection(request: Any) -> dict[str, Any]:
    """Return what is the same for all requests of a connection, unless somebody says something else of one of them."""
    channel, said = request.channel, request.__dict__
    usual = type(channel) is HTTPChannel and type(request) is Request and not ("host" in said or "client" in said)
    if usual and channel._said is not None:
        return channel._said.copy()  # type: ignore[no-any-return]  # what is kept below
    found = {
        "type": "http",
        "asgi": VERSIONS,
        "scheme": "https" if request.isSecure() else "http",
        "client": _address(request.getClientAddress()),
        "server": _address(request.getHost()),
    }
    if usual:
        channel._said = found.copy()
    return found


def _fields(request: Any) -> list[tuple[bytes, bytes]]:
    """Return the fields of a request, in the order in which they came, if nobody has changed them since."""
    head = getattr(request, "_head", None)
    if head is not None and request._requestHeaders is None:
        return head.lower_fields  # type: ignore[no-any-return]  # HTTPHead's, where that is not known by its type
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
    prepath, version, method = request.prepath, request.clientproto, request.method
    scope = _connection(request)
    scope["http_version"] = "1.1" if version == b"HTTP/1.1" else version[5:].decode("latin-1")
    scope["method"] = _METHODS.get(method) or method.decode("latin-1").upper()
    scope["path"] = (unquote_to_bytes(path) if b"%" in path else path).decode("utf-8", "replace")
    scope["raw_path"] = path
    scope["query_string"] = query
    scope["root_path"] = (b"/" + b"/".join(prepath)).decode("utf-8", "replace") if prepath else ""
    scope["headers"] = _fields(request)
    scope["extensions"] = {}
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
