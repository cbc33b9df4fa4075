"""A request, as it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import succeed
from torsion.web.client._codec import HTTPWriter
from torsion.web.client.sending import Sending
from torsion.web.client.uri import check_method, check_uri
from torsion.web.error import UnsupportedSpecialHeader
from torsion.web.iweb import UNKNOWN_LENGTH, IClientRequest

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred
    from torsion.web.client.timeouts import Timeouts
    from torsion.web.client.uri import URI
    from torsion.web.http_headers import Headers

__all__ = ["Request"]

_BODIED = frozenset({b"POST", b"PUT", b"PATCH"})
"""Methods that mean something by a body, so that the server is told when there is none: RFC 9110, 8.6."""


@implementer(IClientRequest)
class Request:
    """A request.

    :ivar method: the method.
    :ivar uri: what stands on the first line: a path, mostly.
    :ivar headers: the fields.
    :ivar bodyProducer: the :class:`torsion.web.iweb.IBodyProducer` of the body, or None.
    :ivar persistent: whether the connection is to go on afterwards.
    :ivar timeouts: how long the phases may take, or None.
    """

    timeouts: Timeouts | None = None

    def __init__(
        self, method: bytes, uri: bytes, headers: Headers, bodyProducer: Any, persistent: bool = False
    ) -> None:
        """Describe a request.

        :raises TypeError: if *method* or *uri* is not bytes.
        :raises ValueError: if one of them could be read as something else.
        """
        self.method = self._method = check_method(method)
        self.uri = self._uri = check_uri(uri)
        self.headers = headers
        self.bodyProducer = bodyProducer
        self.persistent = persistent
        self._parsedURI: URI | None = None

    @classmethod
    def _checked(
        cls, method: bytes, uri: bytes, headers: Headers, bodyProducer: Any, persistent: bool, parsed: URI
    ) -> Request:
        """Describe a request whose method and URI were looked at."""
        made = cls.__new__(cls)
        made.method = made._method = method
        made.uri = made._uri = uri
        made.headers = headers
        made.bodyProducer = bodyProducer
        made.persistent = persistent
        made._parsedURI = parsed
        return made

    @property
    def absoluteURI(self) -> bytes | None:
        """The whole URI, if it is known."""
        return None if self._parsedURI is None else self._parsedURI.toBytes()

    def head(self, writer: HTTPWriter) -> bytes:
        """Have *writer* begin this request; return its bytes.

        :raises ValueError: if something in it could be read as something else.
        :raises UnsupportedSpecialHeader: for Transfer-Encoding, which is the connection's.
        """
        method, uri = self.method, self.uri
        if method is not self._method or uri is not self._uri:  # they were changed since they were looked at
            method, uri = check_method(method), check_uri(uri)
        fields: list[tuple[bytes, bytes]] = []
        hosts = 0
        for name, values in self.headers.getAllRawHeaders():
            if name == b"Host":
                hosts = len(values)
                fields[:0] = [(name, value) for value in values]  # first: RFC 9110, 7.2
            elif name == b"Transfer-Encoding":
                raise UnsupportedSpecialHeader("Transfer-Encoding: how a body is sent is not the program's to say")
            elif name != b"Content-Length":  # the producer knows
                for value in values:
                    fields.append((name, value))  # noqa: PERF401 - there is one, mostly
        if hosts != 1:
            raise ValueError(f"a request has one Host header, not {hosts}")
        if not self.persistent:
            fields.append((b"Connection", b"close"))
        body = self.bodyProducer
        if body is not None:
            if body.length is UNKNOWN_LENGTH or body.length == UNKNOWN_LENGTH:
                fields.append((b"Transfer-Encoding", b"chunked"))
            else:
                fields.append((b"Content-Length", b"%d" % body.length))
        elif method in _BODIED:
            fields.append((b"Content-Length", b"0"))
        return writer.request(method, uri, fields)

    def writeTo(self, transport: Any) -> Deferred[None]:
        """Write all of it.

        :param transport: an ``IConsumer``.
        :returns: a Deferred that fires once the producer has written everything.
        :raises ValueError: if something in it could be read as something else.
        """
        writer = HTTPWriter()
        transport.write(self.head(writer))
        if self.bodyProducer is None:
            return succeed(None)
        return Sending(transport, writer, self.bodyProducer).start()
