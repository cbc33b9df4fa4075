"""A request's fields as HTTP/2 has them, and what a response's say of its length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.web.client._codec import HTTPWriter
from torsion.web.iweb import UNKNOWN_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion.web.client.request import Request

__all__ = ["length_of", "request_fields"]

_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"http2-settings", b"host")
)
"""Headers of a connection of HTTP/1.1, which mean nothing here and must not be sent (RFC 9113, 8.2.2); Host has another name."""

_LONE = frozenset((b"authorization", b"cookie", b"proxy-authorization"))
"""Fields that are not put into the table of the compression: what is guessed could be told by its length (RFC 7541, 7.1.3)."""


def request_fields(request: Request, scheme: bytes) -> list[Any]:
    """Return what a request's HEADERS frame says, for h2.

    :raises ValueError: if something in it could be read as something else: what HTTP/1.1 does not send, is not sent here.
    """
    if request.method == b"CONNECT":
        raise ValueError("CONNECT is not sent over HTTP/2: make the agent with http2=False")
    request.head(HTTPWriter())  # looks at all of it
    from hpack import NeverIndexedHeaderTuple

    headers = request.headers
    [host] = headers.getRawHeaders(b"host") or [b""]
    fields: list[Any] = [
        (b":method", request.method),
        (b":scheme", scheme),
        (b":authority", host),
        (b":path", request.uri),
    ]
    body = request.bodyProducer
    for raw, values in headers.getAllRawHeaders():
        name = raw.lower()
        if name in _HOP or name == b"content-length":
            continue
        kind: Any = NeverIndexedHeaderTuple if name in _LONE else None
        sent = [value.strip() for value in values]
        if name == b"te":
            sent = [value for value in sent if value.lower() == b"trailers"]  # RFC 9113, 8.2.2
        fields.extend((name, value) if kind is None else kind(name, value) for value in sent)
    if body is None:
        if request.method in {b"POST", b"PUT", b"PATCH"}:
            fields.append((b"content-length", b"0"))
    elif body.length is not UNKNOWN_LENGTH and body.length != UNKNOWN_LENGTH:
        fields.append((b"content-length", b"%d" % body.length))
    return fields


def length_of(method: bytes, code: int, fields: Iterable[tuple[bytes, bytes]]) -> Any:
    """Return how many bytes a response says that its body has, or :data:`torsion.web.iweb.UNKNOWN_LENGTH`."""
    if code in {204, 304} and method != b"HEAD":
        return 0
    for name, value in fields:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return UNKNOWN_LENGTH
