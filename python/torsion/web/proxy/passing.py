"""What passes from one connection to another, and what does not (RFC 9110 section 7.6.1)."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["MOST_IN_MEMORY", "REPLACED", "bodyOf", "fieldsOf", "forConnectionOnly", "forwardedFor"]

MOST_IN_MEMORY: Final = 100_000
"""Bodies of requests of up to so many bytes are read at once, larger ones from their file as the other server takes them."""

_HOP_BY_HOP: Final = frozenset((
    b"connection", b"expect", b"http2-settings", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
    b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
))  # fmt: skip
"""Fields that are for one connection only."""

_END_TO_END: Final = frozenset((
    b"authorization", b"content-encoding", b"content-length", b"content-type", b"cookie", b"forwarded", b"host", b"via",
    b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip",
))  # fmt: skip
"""Fields that stay, also if ``Connection`` names them: what is behind the proxy relies on them."""

REPLACED: Final = frozenset((b"content-type", b"date", b"server"))
"""Fields of a response that take the place of what this server says by default."""


def forConnectionOnly(values: list[bytes]) -> frozenset[bytes]:
    """Return the names of the fields that do not pass, by the values of ``Connection``."""
    named = {name.strip().lower() for name in b",".join(values).split(b",")}
    return _HOP_BY_HOP | (named - _END_TO_END)


def fieldsOf(request: Any) -> dict[bytes, bytes]:
    """Return the fields of a request by their names in lower case, those that are there more than once joined."""
    fields: dict[bytes, bytes] = {}
    for name, values in request.requestHeaders.getAllRawHeaders():
        key = name.lower()
        fields[key] = (b"; " if key == b"cookie" else b", ").join(values)
    return fields


def bodyOf(request: Any) -> Any:
    """Return the body of a request: bytes, or the file that it is in if it is large."""
    content = request.content
    length = content.seek(0, 2)
    content.seek(0)
    return content.read() if length <= MOST_IN_MEMORY else content


def forwardedFor(request: Any) -> dict[bytes, bytes]:
    """Return fields that say what a server behind a proxy cannot see: for whom, for which host, and by what scheme.

    ``X-Forwarded-For`` is a list, to which the client is added: what was there may be anybody's invention, and the last is true.
    ``X-Forwarded-Host`` and ``X-Forwarded-Proto`` take the place of those that the client has sent.
    """
    fields = {b"x-forwarded-proto": b"https" if request.isSecure() else b"http"}
    host = request.getHeader(b"host")
    if host:
        fields[b"x-forwarded-host"] = host
    client = getattr(request.getClientAddress(), "host", None)
    if client is not None:
        before = request.requestHeaders.getRawHeaders(b"x-forwarded-for") or []
        fields[b"x-forwarded-for"] = b", ".join([*before, client.encode("ascii", "replace")])
    return fields
