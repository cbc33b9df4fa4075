"""Responses that are compressed on their way, where the client can take it: RFC 1952."""

from __future__ import annotations

import zlib
from typing import Any, Final

from zope.interface import implementer

from torsion.web.http.status import NO_CONTENT, NOT_MODIFIED, PARTIAL_CONTENT
from torsion.web.iweb import _IRequestEncoder, _IRequestEncoderFactory

__all__ = ["GzipEncoderFactory"]

_AS_IT_IS: Final = (NO_CONTENT, NOT_MODIFIED, PARTIAL_CONTENT)
"""Responses without a body, and parts of one: the ranges of those count the bytes of what is not compressed."""


def acceptsGzip(fields: list[bytes]) -> bool:
    """Return whether the values of Accept-Encoding allow gzip, by name or by ``*`` (RFC 9110 section 12.5.3)."""
    weights: dict[bytes, float] = {}
    for coding in b",".join(fields).split(b","):
        name, *parameters = (part.strip() for part in coding.lower().split(b";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith(b"q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0  # what cannot be read is no wish for it
        weights[name] = weight
    weight = weights.get(b"gzip", weights.get(b"x-gzip", weights.get(b"*", 0.0)))
    return weight > 0


@implementer(_IRequestEncoderFactory)
class GzipEncoderFactory:
    """For ``resource.EncodingResourceWrapper``: compresses responses to clients that accept gzip.

    Do not compress what has both a secret and something of the client's choice in it: its length tells of the secret.

    :cvar compressLevel: how much effort it makes, from 1 to 9.
    """

    compressLevel = 9

    def encoderForRequest(self, request: Any) -> _GzipEncoder | None:
        """Return an encoder if the request allows it, and say so in the response; else None."""
        headers = request.responseHeaders
        if b"accept-encoding" not in b",".join(headers.getRawHeaders(b"vary", [])).lower():
            headers.addRawHeader(b"vary", b"Accept-Encoding")
        if not acceptsGzip(request.requestHeaders.getRawHeaders(b"accept-encoding", [])):
            return None
        present = headers.getRawHeaders(b"content-encoding", [])
        headers.setRawHeaders(b"content-encoding", [b",".join([*present, b"gzip"])])
        return _GzipEncoder(self.compressLevel, request, present)


@implementer(_IRequestEncoder)
class _GzipEncoder:
    """Compresses one response."""

    def __init__(self, level: int, request: Any, present: list[bytes]) -> None:
        self._zlib: Any = None
        self._level = level
        self._request = request
        self._present = present

    def encode(self, data: bytes) -> bytes:
        """Return what there is of *data*, compressed."""
        request = self._request
        if request is not None:
            self._request = None
            headers = request.responseHeaders
            if request.code in _AS_IT_IS:
                if self._present:
                    headers.setRawHeaders(b"content-encoding", self._present)
                else:
                    headers.removeHeader(b"content-encoding")
            else:
                headers.removeHeader(b"content-length")  # it is that of what is not compressed
                self._zlib = zlib.compressobj(self._level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        return data if self._zlib is None else self._zlib.compress(data)

    def finish(self) -> bytes:
        """Return the end of what is compressed."""
        return b"" if self._zlib is None else self._zlib.flush()
