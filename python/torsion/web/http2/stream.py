"""One request and its response: what the request has for its channel."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.interfaces import IConsumer, IPushProducer, ITransport
from torsion.internet.tls.producers import PullToPush
from torsion.web.http.limits import MOST_STORED
from torsion.web.http2.limits import KEPT
from torsion.web.http_headers import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion.python.failure import Failure
    from torsion.web.http2.connection import HTTP2Connection

__all__ = ["Stream"]

_HOP = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
"""Headers of a connection of HTTP/1.1, which mean nothing here and must not be sent: RFC 9113, 8.2.2."""

_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PATH = re.compile(rb"/[!-~\x80-\xff]*|\*")
_AUTHORITY = re.compile(rb"[^\0-\x20\x7f-\xff/?#@\\,]*")
"""What the first line of HTTP/1.1 and its Host can have in them: what is behind relies on there being nothing else."""


@implementer(ITransport, IConsumer, IPushProducer)
class Stream:
    """The channel of one request.

    :ivar id: its number.
    :ivar request: the request.
    """

    persistent = True
    receiving = True
    _usual = False
    _producer: Any = None
    _pull: Any = None
    _paused = False
    _body_paused = False
    _owed = 0
    _kept = 0
    _ended = False
    _head_sent = False
    gone = False
    progress = 0.0

    def __init__(self, connection: HTTP2Connection, number: int) -> None:
        self.connection = connection
        self.id = number
        self.factory = connection.factory
        self.site = connection.site
        self.transport = connection.transport
        self.received = 0
        self.request: Any = None
        self._parts: deque[bytes | memoryview] = deque()

    # --- what comes --------------------------------------------------------------------------------------------------

    def begin(self, request: Any, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """Take the head of the request."""
        self.request = request
        headers = request.requestHeaders
        self.method = self.path = b""
        cookies: list[bytes] = []
        authority = None
        for name, value in fields:
            if name == b":method":
                self.method = value
            elif name == b":path":
                self.path = value
            elif name == b":authority":
                authority = value
            elif name == b"cookie":  # in pieces: RFC 9113, 8.2.3
                cookies.append(value)
            elif not name.startswith(b":"):
                headers.addRawHeader(name, value)
        if cookies:
            headers.addRawHeader(b"cookie", b"; ".join(cookies))
        if authority is not None and not headers.hasHeader(b"host"):
            headers.addRawHeader(b"host", authority)

    def isProper(self) -> bool:
        """Return whether method, path and host are such as HTTP/1.1 lets pass, too."""
        hosts = self.request.requestHeaders.getRawHeaders(b"host", ())
        return (
            _METHOD.fullmatch(self.method) is not None
            and (_PATH.fullmatch(self.path) is not None or (self.method == b"CONNECT" and not self.path))
            and all(_AUTHORITY.fullmatch(host) is not None for host in hosts)
        )

    def headReceived(self, whole: bool) -> None:
        """Have the request made ready for its body.

        :param whole: whether it has none.
        """
        request = self.request
        length = request.requestHeaders.getRawHeaders(b"content-length")
        request.gotLength(0 if whole else int(length[0]) if length else None)
        hook = getattr(request, "headReceived", None)
        if hook is not None and not whole:
            request._take(self.method, self.path, b"HTTP/2")
            hook()
            if not self.gone and request._stream is not None:
                request.process()

    def dataReceived(self, data: bytes, owed: int) -> None:
        """Take a part of the body.

        :param owed: the bytes of the window that it used.
        """
        self.received += len(data)
        most = self.factory.maxBodySize if self.factory is not None else None
        if most is MOST_STORED and getattr(self.request, "_stream", None) is not None:
            most = None
        if most is not None and self.received > most:
            self.connection.refuse(self, 413)
            return
        self.request.handleContentChunk(data)
        if self._body_paused:
            self._owed += owed
        else:
            self.connection.grant(self.id, owed)

    def ended(self) -> None:
        """Take the end of the request."""
        self.receiving = False
        stream = getattr(self.request, "_stream", None)
        if stream is not None:
            stream.finished(())
        else:
            self.request.requestReceived(self.method, self.path, b"HTTP/2")

    def lost(self, reason: Failure) -> None:
        """Learn that nothing more will come, or go."""
        if not self.gone:
            self.gone = True
            self._parts.clear()
            self._stop_pulling()
            self._producer = None
            owed, self._owed = self._owed, 0
            self.connection.grant(0, owed)  # the window of all is not to shrink for what was not read
            self.request.connectionLost(reason)

    def pauseBody(self) -> None:
        """Give the client no more window for the body."""
        self._body_paused = True

    def resumeBody(self) -> None:
        """Give it again."""
        self._body_paused = False
        owed, self._owed = self._owed, 0
        if owed and not self.gone:
            self.connection.grant(self.id, owed)

    # --- the response ------------------------------------------------------------------------------------------------

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Any) -> None:
        """Write the head of the response; *version* and *reason* do not exist here.

        :param code: the status code, in digits.
        :param headers: a :class:`torsion.web.http_headers.Headers`, or pairs.
        """
        if self.gone:
            return
        if isinstance(headers, Headers):
            headers = [(name, value) for name, values in headers.getAllRawHeaders() for value in values]
        fields = [(b":status", code)]
        fields += [(name.lower(), value) for name, value in headers if name.lower() not in _HOP]
        self._head_sent = True
        self.connection.send_head(self, fields)

    def write(self, data: bytes) -> None:
        """Write a part of the body."""
        if data and not self.gone:
            self._parts.append(data)
            self._kept += len(data)
            self.connection.flush(self)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write parts of the body."""
        self.write(b"".join(iovec))

    def requestDone(self, request: Any) -> None:
        """Learn that the response is complete."""
        self._stop_pulling()
        self._producer = None
        self._ended = True
        self.connection.flush(self)

    def take(self, most: int) -> bytes:
        """Return the next bytes to be sent, at most so many."""
        part = self._parts.popleft()
        if len(part) > most:
            rest = memoryview(part)  # what is left of a large body is not copied for each frame
            self._parts.appendleft(rest[most:])
            part = rest[:most]
        self._kept -= len(part)
        return bytes(part)

    @property
    def waiting(self) -> bool:
        """Whether there are bytes to be sent."""
        return bool(self._parts)

    @property
    def over(self) -> bool:
        """Whether all of the response is sent but for its end."""
        return self._ended and not self._parts

    # --- pressure ----------------------------------------------------------------------------------------------------

    def adjust(self, blocked: bool) -> None:
        """Pause the producer, or let it go on.

        :param blocked: whether the whole connection takes nothing.
        """
        pause = blocked or self._kept >= KEPT
        if self._producer is None or pause is self._paused or (self._paused and self._kept):
            return
        self._paused = pause
        if pause:
            self._producer.pauseProducing()
        else:
            self._producer.resumeProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Have a producer write the response.

        :raises RuntimeError: if there is one already.
        """
        if self._producer is not None:
            raise RuntimeError(f"Cannot register {producer!r}: {self._producer!r} is registered")
        self._paused = False
        if not streaming:
            producer = self._pull = PullToPush(producer, self)
        self._producer = producer
        if self._pull is not None:
            self._pull.startStreaming()
        self.connection.flush(self)

    def unregisterProducer(self) -> None:
        """Have no producer any more."""
        self._stop_pulling()
        self._producer = None

    def _stop_pulling(self) -> None:
        pull, self._pull = self._pull, None
        if pull is not None:
            pull.stopStreaming()

    def pauseProducing(self) -> None:
        """As :meth:`pauseBody`."""
        self.pauseBody()

    def resumeProducing(self) -> None:
        """As :meth:`resumeBody`."""
        self.resumeBody()

    def stopProducing(self) -> None:
        """As :meth:`loseConnection`."""
        self.loseConnection()

    # --- the connection ----------------------------------------------------------------------------------------------

    def loseConnection(self) -> None:
        """Break this request off; the others go on."""
        self.connection.reset(self)

    def abortConnection(self) -> None:
        """Break this request off; the others go on."""
        self.connection.reset(self)

    def getPeer(self) -> Any:
        """Return the address of the client."""
        return self.transport.getPeer()

    def getHost(self) -> Any:
        """Return the address at which the connection arrived."""
        return self.transport.getHost()

    def isSecure(self) -> bool:
        """Return whether the connection has TLS."""
        return self.connection.secure
