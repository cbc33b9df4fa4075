"""Fields behind the body of a response: RFC 9110, 6.5."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torsion.web.http_headers import Headers

__all__ = ["last_chunk", "may_be_trailer"]

_NEVER: Final = frozenset(
    (
        *(
            "content-length",
            "transfer-encoding",
            "trailer",
            "host",
            "connection",
            "keep-alive",
            "upgrade",
        ),  # framing, routing
        *("cache-control", "expect", "max-forwards", "pragma", "range", "te"),  # how a request is to be taken
        *("authorization", "proxy-authenticate", "proxy-authorization", "www-authenticate", "cookie", "set-cookie"),
        *("age", "date", "expires", "location", "retry-after", "vary", "warning"),  # how a response is to be taken
        *("content-encoding", "content-range", "content-type"),  # how the body is to be read
    )
)
"""What has to be known before the body: RFC 9110, 6.5.1."""


def may_be_trailer(name: bytes | str) -> bool:
    """Return whether a field may come behind the body."""
    text = name if isinstance(name, str) else name.decode("latin-1")
    return text.lower() not in _NEVER


def last_chunk(trailers: Headers | None) -> bytes:
    """Return the end of a body of chunks: RFC 9112, 7.1.

    :param trailers: the fields behind it, if there are any.
    """
    if trailers is None:
        return b"0\r\n\r\n"
    lines = (b"%b: %b\r\n" % (name, value) for name, values in trailers.getAllRawHeaders() for value in values)
    return b"0\r\n%b\r\n" % b"".join(lines)
