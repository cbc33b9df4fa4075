"""A response's fields as programs have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.web.http_headers import Headers, _nameEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["headers_of"]

_OF_THE_CONNECTION = frozenset(
    (
        b"Connection",
        b"Content-Length",
        b"Keep-Alive",
        b"Proxy-Connection",
        b"TE",
        b"Trailers",
        b"Transfer-Encoding",
        b"Upgrade",
    )
)
"""What says how a message came over its connection: :attr:`Response.length` has the length.  Programs hand a response's fields
on with a body that was decompressed or changed since, and would cut it off, or close a connection that is another one."""


def headers_of(fields: Iterable[tuple[bytes, bytes]], method: bytes) -> Headers:
    """Return a response's fields, but for those of its connection.

    They have no line ends, and names that are tokens, so they are put in as they are.

    :param fields: names and values.
    :param method: the request's method: what answers HEAD keeps Content-Length, which is of another response's body.
    """
    headers = Headers()
    raw = headers._rawHeaders
    encode = _nameEncoder.encode
    for name, value in fields:
        canonical = encode(name)
        if canonical in _OF_THE_CONNECTION and (method != b"HEAD" or canonical != b"Content-Length"):
            continue
        values = raw.get(canonical)
        if values is None:
            raw[canonical] = [value]
        else:
            values.append(value)
    return headers
