"""A request to a server, and the response to it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from zope.interface import implementer

from torsion.internet.defer import Deferred
from torsion.internet.interfaces import IConsumer
from torsion.logger import Logger
from torsion.web.http._twins import HTTPAnswer
from torsion.web.http.asking import Asked, _IDeprecatedHTTPChannelToRequestInterface
from torsion.web.http.body import MOST_IN_MEMORY, BodyStream
from torsion.web.http.cookies import makeCookie
from torsion.web.http.dates import datetimeToString, now, stringToDatetime
from torsion.web.http.forms import parseForm
from torsion.web.http.status import FOUND, NO_BODY_CODES, NOT_MODIFIED, OK, PRECONDITION_FAILED, RESPONSES
from torsion.web.http.trailers import last_chunk, may_be_trailer
from torsion.web.http_headers import Headers

if TYPE_CHECKING:
    from torsion.python.failure import Failure

__all__ = ["CACHED", "Request"]

_log = Logger()

_OF_ANSWERS: Final = frozenset(("finish", "write", "setHeader", "responseHeaders", "_cleanup", "_write_head"))
"""What a subclass may replace so that an answer is not made in the short way."""

CACHED: Final = """What is returned when a request is conditional and the client has the resource already."""

_UNSET: Any = object()


@implementer(IConsumer, _IDeprecatedHTTPChannelToRequestInterface)
class Request(Asked, HTTPAnswer):
    """A request to a server, and the response to it.  Override :meth:`process`.

    :ivar channel: the :class:`torsion.web.http.HTTPChannel` over which it came; None once it is done with.
    :ivar transport: what the channel stands on.
    :ivar method: the method.
    :ivar uri: the target, as it was written.
    :ivar path: the target without the query.
    :ivar clientproto: the version: ``b"HTTP/1.1"``.
    :ivar code: the status code of the response.
    :ivar code_message: its reason phrase.
    :ivar startedWriting: whether the head of the response has been written.
    :ivar finished: whether the response is complete.
    :ivar sentLength: how many bytes of the response's body have been written.
    :ivar cookies: the values of Set-Cookie that the response will have.
    :cvar serverName: what the response says in the header Server, beside the Date; None for neither of them.
    :cvar defaultContentType: the type of bodies of which nothing else is said; None to have nothing said.
    """

    producer: Any = None
    finished: Any = 0
    code: int = OK
    code_message: bytes = RESPONSES[OK]
    method: bytes = b"(no method yet)"
    clientproto: bytes = b"(no clientproto yet)"
    path: Any = None
    startedWriting: Any = 0
    chunked: Any = 0
    sentLength: int = 0
    queued = 0
    trailers: Any = ()
    serverName: bytes | None = None
    defaultContentType: bytes | None = None

    _few: dict[bytes, bytes] | None = None  # the response's headers, until somebody wants more of them
    _responseHeaders: Headers | None = None
    _unusual = False  # whether the response has begun, or has to be made with write and finish
    _etag: bytes | None = None
    _lastModified: int | None = None
    _attended = False  # whether somebody waits for its end

    _disconnected = False
    _parsePOSTFormSubmission = True
    _bodiless = False
    _left: int | None = None
    _trailing: Headers | None = None  # what comes behind the body of the response
    _stream: BodyStream | None = None
    _length: int | None = 0

    def __init__(self, channel: Any, queued: Any = _UNSET, parsePOSTFormSubmission: bool | None = None) -> None:
        """Begin a request.

        :param channel: over which it comes.
        :param queued: means nothing any more.
        :param parsePOSTFormSubmission: whether a form in the body becomes part of :attr:`args`; None: as the class has it,
            which is that it does.
        """
        self.channel = channel
        self._few = {}
        if parsePOSTFormSubmission is not None:
            self._parsePOSTFormSubmission = parsePOSTFormSubmission

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "_unusual" not in cls.__dict__ and not _OF_ANSWERS.isdisjoint(cls.__dict__):
            cls._unusual = True

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} at 0x{id(self):x} method={self.method.decode('latin-1')} "
            f"uri={self.uri.decode('latin-1')} clientproto={self.clientproto.decode('latin-1')}>"
        )

    def __eq__(self, other: object) -> bool:
        return self is other if isinstance(other, Request) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return self is not other if isinstance(other, Request) else NotImplemented

    def __hash__(self) -> int:
        return id(self)

    # --- called by the channel, in this order ------------------------------------------------------------------------

    def gotHead(self, head: Any) -> None:
        """Take what came before the body: a :class:`torsion._native.HTTPHead`.  Headers are read when they are asked for."""
        self._head = head

    def gotLength(self, length: int | None) -> None:
        """Make ready for the body.

        :param length: how many bytes it has; None if only its end tells.
        """
        self._length = length
        if length is not None and length < MOST_IN_MEMORY:
            self._parts = []

    gotLength.only_makes_room = True  # type: ignore[attr-defined]  # for a body: where there is none it need not be called

    def headReceived(self) -> None:
        """Be told of a request whose body has not come yet, to have it streamed: override this, and call :meth:`streamBody`.

        The method, the target and the headers are there.  If this calls :meth:`streamBody`, :meth:`process` is called at
        once, and not when the body is complete.  If it calls :meth:`finish`, the body is not waited for at all.  It is not
        called for requests without a body.
        """

    headReceived.only_asks_site = True  # type: ignore[attr-defined]  # if anybody: a body may come first where no site wants it

    def handleContentChunk(self, data: bytes) -> None:
        """Take a part of the body."""
        if self._stream is not None:
            self._stream.dataReceived(data)
        elif self._parts is not None:
            self._parts.append(data)
        else:
            self.content.write(data)

    def _store(self) -> None:
        """Have the last of a stored body written: a file may keep some of it until then.

        :raises OSError: if that cannot be.
        """
        if self._stream is None and self._parts is None and self._length != 0:
            self.content.seek(0, 0)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Take the first line, when the request is complete; goes on with :meth:`process`.

        :param command: the method.
        :param path: the target.
        :param version: the version of the protocol.
        """
        self._take(command, path, version)
        if self._length != 0 and self._stream is None:
            if self._parts is None:
                self.content.seek(0, 0)
            if command == b"POST" and self._parsePOSTFormSubmission:
                self._parseForm()
        self.process()

    def _take(self, command: Any, path: Any, version: bytes) -> None:
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.split(b"?", 1)[0] if b"?" in path else path

    def _parseForm(self) -> None:
        kind = self.getHeader(b"content-type")
        if kind is not None:
            for name, values in parseForm(kind, self.content).items():
                self.args.setdefault(name, []).extend(values)
            self.content.seek(0, 0)

    def process(self) -> None:
        """Answer the request: override this."""

    def connectionLost(self, reason: Failure) -> None:
        """Be told that the connection is gone before the response was complete."""
        self._disconnected = True
        self._past, self.channel = self.channel, None
        self._close_content()
        stream = self._stream
        notifications: list[Deferred[None]] = self.notifications
        self.notifications = []
        if stream is not None:
            stream.failed(reason)
        for each in notifications:
            each.errback(reason)

    # --- the body, as it comes ---------------------------------------------------------------------------------------

    def streamBody(self) -> BodyStream:
        """Return the body as a stream: an asynchronous iterator over its parts, or see ``BodyStream.deliverTo``.

        In :meth:`headReceived` this has the body not stored at all: at most 64 KiB of it are kept for a slow reader, then the
        client is not read from.  Later, it is the stored body that is given.
        """
        if self._stream is None:
            if self._length == 0 or self.__dict__.get("args") is not None or self._complete():
                self._stream = BodyStream(None)
                if self._length != 0:
                    self.content.seek(0, 0)
                    self._stream.dataReceived(self.content.read())
                self._stream.finished(())
            else:
                self._stream = BodyStream(self.channel)
        return self._stream

    def _complete(self) -> bool:
        return self.channel is None or not getattr(self.channel, "receiving", False)

    # --- the response's head -----------------------------------------------------------------------------------------

    def setResponseCode(self, code: int, message: bytes | None = None) -> None:
        """Set the status code.

        :param code: the code.
        :param message: its reason phrase; the usual one if None.
        :raises TypeError: if *code* is no number, or *message* not bytes.
        :raises ValueError: if *code* has not three digits (RFC 9110, 15).
        """
        if not isinstance(code, int):
            raise TypeError("HTTP response code must be int")
        if not 100 <= code <= 999:
            raise ValueError(f"a status code has three digits: {code} is none")
        self.code = code
        if message is not None:
            if not isinstance(message, bytes):
                raise TypeError("HTTP response status message must be bytes")
            self.code_message = message
        else:
            self.code_message = RESPONSES.get(code, b"Unknown Status")

    @property
    def etag(self) -> bytes | None:
        """The entity tag that the response will have."""
        return self._etag

    @etag.setter
    def etag(self, etag: bytes | None) -> None:
        self._etag = etag
        self._unusual = True

    @property
    def lastModified(self) -> int | None:
        """When the resource was changed last, in seconds since 1970."""
        return self._lastModified

    @lastModified.setter
    def lastModified(self, when: int | None) -> None:
        self._lastModified = when
        self._unusual = True

    @property
    def responseHeaders(self) -> Headers:
        """The headers of the response."""
        headers = self._responseHeaders
        if headers is None:
            headers = self._responseHeaders = Headers()
            raw = headers._rawHeaders  # what is put there has been looked at
            if self.serverName is not None:
                raw[b"Server"], raw[b"Date"] = [self.serverName], [now()]
            for name, value in (self._few or {}).items():
                raw[name] = [value]
            self._few = None
        return headers

    @responseHeaders.setter
    def responseHeaders(self, headers: Headers) -> None:
        self._responseHeaders = headers
        self._few = None

    def _setHeader(self, name: bytes | str, value: bytes | str) -> None:
        self.responseHeaders.setRawHeaders(name, [value])

    def addCookie(
        self,
        k: bytes | str,
        v: bytes | str,
        expires: bytes | str | None = None,
        domain: bytes | str | None = None,
        path: bytes | str | None = None,
        max_age: bytes | str | None = None,
        comment: bytes | str | None = None,
        secure: object = None,
        httpOnly: bool = False,
        sameSite: bytes | str | None = None,
    ) -> None:
        """Have the client keep a cookie.  Text is written in UTF-8; line ends and semicolons become spaces.

        :param k: its name.
        :param v: its value.
        :param expires: until when, as a date of HTTP.
        :param domain: for which domain.
        :param path: for which paths.
        :param max_age: for how many seconds.
        :param comment: what it is for.
        :param secure: whether it is sent over TLS only.
        :param httpOnly: whether scripts cannot read it.
        :param sameSite: ``lax``, ``strict``, or ``none``, which needs *secure*.
        :raises ValueError: if *sameSite* is another word, or is none without *secure*.
        """
        attributes = (
            (b"Expires", expires), (b"Domain", domain), (b"Path", path), (b"Max-Age", max_age), (b"Comment", comment)
        )  # fmt: skip
        self.cookies.append(makeCookie(k, v, attributes, secure, httpOnly, sameSite))

    def redirect(self, url: bytes | str) -> None:
        """Have the response send the client to *url*, with the code 302; :meth:`finish` is still to be called."""
        self.setResponseCode(FOUND)
        self.setHeader(b"location", url)

    def setLastModified(self, when: float) -> str | None:
        """Say when the resource was changed last; the latest that was said counts.

        :param when: seconds since 1970.
        :returns: :data:`CACHED` if the client has it already, and there shall be no body; else None.
        """
        seconds = -int(-when // 1)
        if self.lastModified is None or seconds > self.lastModified:
            self.lastModified = seconds
        since = self.getHeader(b"if-modified-since")
        if since:
            try:
                known = stringToDatetime(since.split(b";", 1)[0])
            except ValueError:  # RFC 9110, 13.1.3: as if it were not there
                return None
            if self.lastModified <= known:
                self.setResponseCode(NOT_MODIFIED)
                return CACHED
        return None

    def setETag(self, etag: bytes) -> str | None:
        """Say which version of the resource this is.

        :param etag: the entity tag, with its quotes.
        :returns: :data:`CACHED` if the client has it already, or must not change it, and there shall be no body; else None.
        """
        if etag:
            self.etag = etag
        tags = self.getHeader(b"if-none-match")
        if tags:
            known = [tag.strip() for tag in tags.split(b",")]
            if etag in known or b"*" in known:
                self.setResponseCode(NOT_MODIFIED if self.method in (b"HEAD", b"GET") else PRECONDITION_FAILED)
                return CACHED
        return None

    # --- the response ------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Write a part of the body; the head goes before the first.  Does nothing once the client has left.

        :raises RuntimeError: after :meth:`finish`.
        :raises TypeError: if *data* is not bytes: before the head is written, so that the answer can still say 500.
        """
        if self.finished:
            raise RuntimeError("Request.write called on a request after Request.finish was called.")
        if self._disconnected:
            return
        if not self.startedWriting:
            if type(data) is not bytes and not isinstance(data, (bytearray, memoryview)):
                raise TypeError(
                    f"data to write must be bytes, not {type(data).__name__} ({data!r:.40}): encode it first"
                )
            self._write_head()
        if data and not self._bodiless:
            if self._left is not None:
                data = self._fitting(data)
            self.sentLength += len(data)
            if self.chunked:
                self.channel.writeSequence((b"%x\r\n" % len(data), data, b"\r\n"))
            else:
                self.channel.write(data)

    write.lets_files_pass = True  # type: ignore[attr-defined]  # what it does to a body is known; see ``torsion.web.http.files``

    def _write_head(self) -> None:
        headers = self.responseHeaders
        raw = headers._rawHeaders
        length = raw.get(b"Content-Length")
        if length:
            self._check_length(length)
        self.startedWriting = 1
        self._unusual = True
        if self.defaultContentType is not None and b"Content-Type" not in raw and self._has_body(raw):
            raw[b"Content-Type"] = [self.defaultContentType]
        if self.method == b"HEAD" or self.code in NO_BODY_CODES or self.code < 200:
            self._bodiless = True
        elif length:
            self._left = int(length[0])
        elif self.clientproto == b"HTTP/1.1":
            headers.setRawHeaders(b"Transfer-Encoding", [b"chunked"])
            self.chunked = 1
        if self.lastModified is not None:
            if b"Last-Modified" in raw:
                _log.info("Warning: last-modified specified both in header list and lastModified attribute.")
            else:
                headers.setRawHeaders(b"last-modified", [datetimeToString(self.lastModified)])
        if self.etag is not None:
            headers.setRawHeaders(b"ETag", [self.etag])
        for cookie in self.__dict__.get("cookies", ()):
            headers.addRawHeader(b"Set-Cookie", cookie)
        self.channel.writeHeaders(self.clientproto, b"%d" % self.code, self.code_message, headers)

    def _check_length(self, values: list[bytes]) -> None:
        """Raise ValueError for what the next to read it could read otherwise, or not at all (RFC 9110, 8.6)."""
        if len(values) != 1 or not values[0].isdigit():
            del self.responseHeaders._rawHeaders[
                b"Content-Length"
            ]  # so that there can be an answer that says what is wrong
            shown = b", ".join(values).decode("latin-1")
            raise ValueError(f"Content-Length is one number, in digits: {shown!r} is none")

    def _has_body(self, raw: dict[bytes, list[bytes]]) -> bool:
        return self.code >= 200 and self.code not in NO_BODY_CODES and raw.get(b"Content-Length") != [b"0"]

    def _fitting(self, data: bytes) -> bytes:
        """Return as much of *data* as Content-Length has promised: more would be read as the next response."""
        assert self._left is not None
        if len(data) > self._left:
            _log.warn(
                "{request} writes more than its Content-Length; the rest is not sent, and the connection is closed",
                request=self,
            )
            data = data[: self._left]
            self._end_connection()
        self._left -= len(data)
        return data

    def _end_connection(self) -> None:
        if hasattr(self.channel, "persistent"):
            self.channel.persistent = False

    def addTrailer(self, name: bytes | str, value: bytes | str) -> None:
        """Add a field that comes behind the body, such as a checksum of it.  Clients may overlook it: RFC 9110, 6.5.

        It is sent over HTTP/2, and over HTTP/1.1 where the response has no Content-Length: write it piece by piece.  Of a
        response without a body, or to HTTP/1.0, it is left out.

        :param name: the name; one of the names in ``Trailer``, if the response has that header.
        :param value: the value.
        :raises ValueError: for a field that is needed before the body: RFC 9110, 6.5.1.
        :raises RuntimeError: after :meth:`finish`.
        """
        if self.finished:
            raise RuntimeError("Request.addTrailer called on a request after Request.finish was called.")
        if not may_be_trailer(name):
            raise ValueError(f"{name!r} cannot come behind the body: set it as a header, before anything is written")
        if self._trailing is None:
            self._trailing = Headers()
        self._trailing.addRawHeader(name, value)

    def finish(self) -> None:
        """End the response.

        :raises RuntimeError: if the connection is gone: :meth:`notifyFinish` tells of that.
        """
        if self._disconnected:
            raise RuntimeError(
                "Request.finish called on a request after its connection was lost; use Request.notifyFinish to keep "
                "track of this."
            )
        if self.finished:
            warnings.warn("Warning! request.finish called twice.", stacklevel=2)
            return
        if not self.startedWriting:
            self.write(b"")
        if self.chunked:
            self.channel.write(last_chunk(self._trailing))
        elif self._left:
            _log.warn("{request} has written {left} bytes less than its Content-Length", request=self, left=self._left)
            self._end_connection()
        factory = getattr(self.channel, "factory", None)
        if factory is not None:
            try:
                factory.log(self)
            except Exception:
                self.loseConnection()  # else it would wait for the end of this answer for ever
                raise
        self.finished = 1
        self._cleanup()

    def _cleanup(self) -> None:
        if self.producer is not None:
            try:
                raise RuntimeError(f"Producer was not unregistered for {self.uri!r}")
            except RuntimeError:
                _log.failure("a response was finished while its producer was registered")
            self.unregisterProducer()
        self._past = channel = self.channel
        self.channel = None
        self._close_content()
        channel.requestDone(self)
        if self._attended:
            notifications: list[Deferred[None]] = self.notifications
            self.notifications = []
            for each in notifications:
                each.callback(None)

    def _close_content(self) -> None:
        content, self._parts = self.__dict__.get("content"), None
        if content is not None:
            try:
                content.close()
            except BufferError:  # the program still looks into it, by a view: it stays open as long as that
                pass
            except OSError:  # what is not written yet cannot be: nobody wants it any more, and a full disk was told of
                pass

    def notifyFinish(self) -> Deferred[None]:
        """Return a Deferred that fires with None when the response is finished, and fails if the connection is lost before."""
        self._attended = self._unusual = True
        finished: Deferred[None] = Deferred()
        self.notifications.append(finished)
        return finished

    def loseConnection(self) -> None:
        """Close the connection."""
        if self.channel is not None:
            self.channel.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Have a producer write the body.

        :param producer: an ``IPushProducer`` if *streaming*, else an ``IPullProducer``.
        :param streaming: which of them it is.
        :raises ValueError: if there is one already.
        """
        if self.producer is not None:
            raise ValueError(
                f"registering producer {producer!r} before previous one ({self.producer!r}) was unregistered"
            )
        if self._disconnected:
            producer.stopProducing()
            return
        self.producer = producer
        self._unusual = True
        self.streamingProducer = streaming
        self.channel.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Have no producer any more."""
        if self.producer is not None and self.channel is not None:
            self.channel.unregisterProducer()
        self.producer = None

    def noLongerQueued(self) -> None:
        """Do nothing: requests are not queued any more."""
