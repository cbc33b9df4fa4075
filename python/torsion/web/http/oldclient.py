"""The client of HTTP/1.0 that Twisted had first: one request on a connection, whose end may be the response's."""

from __future__ import annotations

from typing import Final

from torsion.internet.protocol import connectionDone
from torsion.protocols.basic import LineReceiver
from torsion.python.failure import Failure

__all__ = ["MAX_FIELDS", "HTTPClient"]

MAX_FIELDS: Final = 500
"""A response may have so many lines in its head: servers send a few dozen, and all of them would be kept."""


class HTTPClient(LineReceiver):
    """A client of HTTP/1.0 (deprecated: use ``torsion.web.client.Agent``).

    Override :meth:`connectionMade` to send a request, with :meth:`sendCommand`, :meth:`sendHeader` and :meth:`endHeaders`, and the
    methods whose names begin with ``handle`` to get the response.  What is no HTTP closes the connection.

    :ivar length: how many bytes of the body are to come; None if the connection's end is the body's.
    :ivar firstLine: whether the next line is the first.
    """

    length: int | None = None
    firstLine = True

    _parts: list[bytes] | None = None
    _header: bytes = b""
    _fields = 0
    _refused = False

    # --- the request -------------------------------------------------------------------------------------------------

    def sendCommand(self, command: bytes, path: bytes) -> None:
        """Send the first line: a method, and a target."""
        self._send(command, b" ", path, b" HTTP/1.0\r\n")

    def sendHeader(self, name: bytes, value: bytes | int) -> None:
        """Send a header.

        :param value: bytes, or a number.
        """
        self._send(name, b": ", value if isinstance(value, bytes) else str(value).encode("ascii"), b"\r\n")

    def endHeaders(self) -> None:
        """End the head of the request."""
        assert self.transport is not None
        self.transport.write(b"\r\n")

    def _send(self, *parts: bytes) -> None:
        assert self.transport is not None
        if any(b"\r" in part or b"\n" in part or b"\0" in part for part in parts[:-1]):
            raise ValueError(f"a line of a request's head must have no line ends in it: {b''.join(parts)!r}")
        self.transport.write(b"".join(parts))

    # --- the response ------------------------------------------------------------------------------------------------

    def handleStatus(self, version: bytes, status: bytes, message: bytes) -> None:
        """Be told of the first line: the version, the code as digits, the reason."""

    def handleHeader(self, key: bytes, val: bytes) -> None:
        """Be told of a header."""

    def handleEndHeaders(self) -> None:
        """Be told that there are no more headers."""

    def handleResponsePart(self, data: bytes) -> None:
        """Be told of a part of the body; kept for :meth:`handleResponse`, if this is not overridden."""
        if self._parts is not None:
            self._parts.append(data)

    def handleResponseEnd(self) -> None:
        """Be told that the body is complete, or the connection closed; calls :meth:`handleResponse` once with what was kept."""
        if self._parts is not None:
            parts, self._parts = self._parts, None
            self.handleResponse(b"".join(parts))

    def handleResponse(self, contents: bytes) -> None:
        """Be told of the whole body: override this."""

    # --- called by the transport -------------------------------------------------------------------------------------

    def lineReceived(self, line: bytes) -> None:
        """Take a line of the head."""
        if self.firstLine:
            self.firstLine = False
            version, _, rest = line.partition(b" ")
            status, _, message = rest.partition(b" ")
            if not version.startswith(b"HTTP/") or not (status.isdigit() and len(status) == 3):
                self._refuse()
            else:
                self.handleStatus(version, status, message)
            return
        if line[:1] in (b" ", b"\t") and self._header:
            self._header += b" " + line.strip()
        else:
            if self._header:
                self.extractHeader(self._header)
            self._header = line
        self._fields += 1
        if self._fields > MAX_FIELDS or len(self._header) > self.MAX_LENGTH:
            self._refuse()
        elif not line and not self._refused:
            self._parts = []
            self.handleEndHeaders()
            self.setRawMode()
            if self.length == 0:
                self.handleResponseEnd()

    def extractHeader(self, header: bytes) -> None:
        """Take a header, with all its lines."""
        key, colon, value = header.partition(b":")
        value = value.strip(b" \t")
        if not colon:
            self._refuse()
            return
        self.handleHeader(key, value)
        if key.lower() == b"content-length":
            if not value.isdigit() or len(value) > 19:  # 64 bits
                self._refuse()
            else:
                self.length = int(value)

    def rawDataReceived(self, data: bytes) -> None:
        """Take a part of the body."""
        if self.length is None:
            self.handleResponsePart(data)
        elif self.length:
            data = data[: self.length]
            self.length -= len(data)
            self.handleResponsePart(data)
            if self.length == 0:
                self.handleResponseEnd()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be told that the connection is gone, which may be how the body ends."""
        self.handleResponseEnd()

    def _refuse(self) -> None:
        """Close the connection: this is no HTTP, or too much of it."""
        assert self.transport is not None
        self.transport.abortConnection()
        self._refused = True
        self.setRawMode()
        self.length = 0
