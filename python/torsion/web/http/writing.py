"""What a channel writes, and from where to where: for the request that is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.interfaces import ISSLTransport
from torsion.web.http_headers import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Writing"]


class Writing:
    """The part of a channel that stands between a response and the transport."""

    transport: Any

    _peer: Any = None
    _host: Any = None
    _secure: bool | None = None
    _said: Any = None  # what applications of ASGI are told of the connection

    def writeHeaders(
        self, version: bytes, code: bytes, reason: bytes, headers: Headers | Iterable[tuple[bytes, bytes]]
    ) -> None:
        """Write the head of a response.  A line end in a header becomes a space.

        :param version: the version.
        :param code: the status code, in digits.
        :param reason: the reason phrase.
        :param headers: the fields.
        """
        if not isinstance(headers, Headers):
            clean = Headers()
            for name, value in headers:
                clean.addRawHeader(name, value)
            headers = clean
        if b"\r" in reason or b"\n" in reason:
            reason = b" ".join(reason.splitlines())
        lines = [b"%b %b %b\r\n" % (version, code, reason)]
        for name, values in headers._rawHeaders.items():
            for value in values:
                lines += (name, b": ", value, b"\r\n")
        lines.append(b"\r\n")
        self.transport.write(b"".join(lines))

    def write(self, data: bytes) -> None:
        """Write to the client."""
        self.transport.write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write to the client."""
        self.transport.writeSequence(iovec)

    def getPeer(self) -> Any:
        """Return the address of the client."""
        if self._peer is None:
            self._peer = self.transport.getPeer()
        return self._peer

    def getHost(self) -> Any:
        """Return the address at which the connection arrived."""
        if self._host is None:
            self._host = self.transport.getHost()
        return self._host

    def isSecure(self) -> bool:
        """Return whether the connection has TLS."""
        if self._secure is None:
            self._secure = bool(ISSLTransport.providedBy(self.transport))
        return self._secure
