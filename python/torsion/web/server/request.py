"""A request to a site: finds its resource, has it rendered, and sends what comes of that."""

from __future__ import annotations

from functools import cached_property, lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, Final, overload
from urllib.parse import quote, unquote_to_bytes

from zope.interface import implementer

from torsion import __version__
from torsion.internet.address import IPv4Address, IPv6Address
from torsion.logger import Logger
from torsion.python.components import Componentized
from torsion.python.failure import Failure
from torsion.python.reflect import qual, safe_repr
from torsion.web import http
from torsion.web.error import UnsupportedMethod
from torsion.web.http.parts import FormError
from torsion.web.iweb import IRequest
from torsion.web.pages import errorPage
from torsion.web.pagestyle import PAGE_STYLE, styled
from torsion.web.resource import NOT_DONE_YET, _PlainErrorPage
from torsion.web.server.later import answer_later

if TYPE_CHECKING:
    from torsion.python.urlpath import URLPath
    from torsion.web.server.session import Session

__all__ = ["Request", "supportedMethods", "version"]

_log = Logger(namespace="torsion.web.server")

supportedMethods: Final = (b"GET", b"HEAD", b"POST")
"""Methods that every site knows: a resource without a renderer for one does not allow it; others are not implemented."""

_OF_A_BODY: Final = (
    b"content-encoding", b"content-range", b"content-disposition", b"content-language", b"etag", b"last-modified",
)  # fmt: skip
"""Fields that tell of a body, and are wrong where another takes its place."""

_NO_BODY: Final = http.NO_BODY_CODES

_PERCENT: Final = ord("%")
"""As a number, since looking for bytes in bytes begins with an exception that nobody sees."""


version: Final = b"Torsion/" + __version__.encode("ascii")
"""What ``Server`` says."""


def _parses_forms(channel: Any) -> bool:
    """Return whether the site of a channel wants forms to be read."""
    return bool(getattr(getattr(channel, "site", None), "_parsePOSTFormSubmission", True))


@lru_cache(maxsize=1024)  # each class is told of once
def _hint_at_head(kind: str) -> None:
    if not kind.startswith("torsion."):  # pages of errors and the like, which no program can do anything about
        _log.info("{kind} makes bodies for HEAD, which are not sent: a render_HEAD of its own need not", kind=kind)


@implementer(IRequest)
class Request(http.Request, Componentized):
    """A request to a site, and its response.

    :ivar site: the :class:`torsion.web.server.Site`.
    :ivar prepath: the segments of the path that have led to the resource: bytes, their escapes resolved.
    :ivar postpath: those that are left.
    :cvar defaultContentType: of responses that say nothing else; None to have nothing said.
    :cvar pageStyle: the style, in CSS, of pages that say that something is wrong; None for pages without any, as Twisted's are.
    :ivar appRootURL: what :meth:`rememberRootURL` has remembered.
    """

    serverName = version
    defaultContentType: bytes | None = b"text/html"
    pageStyle: str | None = PAGE_STYLE
    _unusual = False  # what is replaced below changes nothing where there is no encoder and no HEAD
    appRootURL: bytes | None = None
    site: Any  # its Site
    _found: Any = None
    _encoder: Any = None
    _fakesHead = False
    _plainSession: Session | None = None
    _secureSession: Session | None = None

    # Made for those requests that need them.
    _adapterCache = cached_property[dict[Any, Any]](lambda _: {})
    prepath = cached_property[list[bytes]](lambda _: [])
    postpath = cached_property[list[bytes]](lambda _: [])
    sitepath = cached_property[list[bytes]](lambda _: [])
    _parsePOSTFormSubmission = cached_property[bool](lambda self: _parses_forms(self.channel))

    # From the path to a resource

    def gotLength(self, length: int | None) -> None:
        """Learn how long the body will be, before it comes.

        A site that has ``getContentFile`` is asked for a file for it, with the length in bytes, None if it is not known.
        """
        getContentFile = getattr(getattr(self.channel, "site", None), "getContentFile", None)
        if getContentFile is None:
            super().gotLength(length)
        else:
            self._length = length
            self.content = getContentFile(length)

    gotLength.only_makes_room = True  # type: ignore[attr-defined]  # as the base's has it; sites with files of their own are seen

    def headReceived(self) -> None:
        """Find the resource before the body has come, if the site's ``streamsBodies`` is true.

        If the resource's is true, too, it is rendered at once, and has the body as a stream: ``request.streamBody()``.
        Others are rendered when the body is complete, as usual.
        """
        if getattr(self.channel.site, "streamsBodies", False) and self.path != b"*":
            try:
                resrc = self._find()
                if getattr(resrc, "streamsBody", False):
                    self.streamBody()
                self._found = resrc
            except BaseException:  # noqa: BLE001 - as below
                self.processingFailed(Failure())

    headReceived.only_asks_site = True  # type: ignore[attr-defined]  # whether it ``streamsBodies``, which is seen

    def process(self) -> None:
        """Find the resource and have it rendered; it never raises."""
        try:
            resrc = self._found
            if resrc is None:
                path = self.path
                if path[:1] == b"/" and _PERCENT not in path:  # nearly always: what `_find` does then, without a call
                    self.site = site = self.channel.site
                    self.prepath = []
                    self.postpath = path[1:].split(b"/")
                    resrc = site.getResourceFor(self)
                elif path == b"*":
                    self._answerToStar()
                    return
                else:
                    resrc = self._find()
                if resrc is None:
                    raise TypeError(
                        f"there is no resource for {path!r}: a getChild returned None; pages.notFound() is one"
                    )
            self.render(resrc)
        except BaseException:  # noqa: BLE001 - whatever a resource raises is the end of this response, and of nothing else
            self.processingFailed(Failure())

    process.ends_with_answer = True  # type: ignore[attr-defined]  # so that nobody looks at the request behind it

    def _find(self) -> Any:
        """Return the resource."""
        self.site = site = self.channel.site
        path = self.path
        if path[:1] != b"/":
            path = self._fromAbsolute(path)
            if (
                path[:1] != b"/"
            ):  # it must not become another path, which what is before this server lets nobody ask for
                return errorPage(http.BAD_REQUEST, "Bad Request", "What is asked for is neither a path nor a URL.")
        self.prepath = []
        self.postpath = segments = path[1:].split(b"/")
        if _PERCENT in path:
            self.postpath = [unquote_to_bytes(segment) for segment in segments]
        return site.getResourceFor(self)

    def _fromAbsolute(self, target: bytes) -> bytes:
        """Return the path of a target that is a whole URL, as it may be; its host is what was asked (RFC 9112 section 3.2.2)."""
        scheme, mark, rest = target.partition(b"://")
        authority, slash, path = rest.partition(b"/")
        if mark and authority and scheme.isalpha():
            self.requestHeaders.setRawHeaders(b"host", [authority.rpartition(b"@")[2]])
            self.path = slash + path or b"/"
        return self.path  # type: ignore[no-any-return]  # it is bytes by now

    def _answerToStar(self) -> None:
        """Answer a request to the server as a whole (RFC 9110 section 9.3.7)."""
        if self.method != b"OPTIONS":
            self.setResponseCode(http.NOT_ALLOWED)
            self.setHeader(b"allow", b"OPTIONS")
        self.setHeader(b"content-length", b"0")
        self.write(b"")
        self.finish()

    # From a resource to a response

    def render(self, resrc: Any) -> None:
        """Have *resrc* answer, and send what it returns: see ``IResource.render``.

        A resource that does not know ``HEAD``, but ``GET``, is asked for that.
        """
        encoderFor = getattr(resrc, "getEncoder", None)
        if encoderFor is not None:
            self._encoder = encoderFor(self)
        try:
            body = resrc.render(self)
        except UnsupportedMethod as error:
            body = self._renderOther(resrc, error.allowedMethods)
        if body.__class__ is bytes:
            if self._encoder is not None or self._fakesHead or not self._answerAtOnce(body):
                if body and self.method == b"HEAD" and not self._fakesHead:
                    _hint_at_head(qual(type(resrc)))
                self._answer(body)
        elif body is not NOT_DONE_YET:
            answer_later(self, resrc, body)

    render.ends_with_answer = True  # type: ignore[attr-defined]  # as above

    def _respond(self, resrc: Any, body: Any) -> None:
        """Send what a resource has returned."""
        if body.__class__ is bytes:
            self._answer(body)
        elif body is not NOT_DONE_YET:
            answer_later(self, resrc, body)

    def _answer(self, body: bytes) -> None:
        """Send *body*, which is all."""
        if self.channel is None and not self.finished:
            return  # the client has left
        if self.method != b"HEAD":
            self.setHeader(b"content-length", b"%d" % len(body))
            self.write(body)
        else:
            if body:
                self.setHeader(b"content-length", b"%d" % len(body))
            self.write(b"")
        self.finish()

    def _renderOther(self, resrc: Any, allowed: Any) -> Any:
        """Return the answer of a resource that does not know the method."""
        if self.method == b"HEAD" and b"GET" in allowed:
            _log.info("Using GET to fake a HEAD request for {resrc}", resrc=resrc)
            self.method = b"GET"
            self._fakesHead = True
            try:
                body = resrc.render(self)
            finally:
                self.method = b"HEAD"
            if body is NOT_DONE_YET:
                _log.info("Tried to fake a HEAD request for {resrc}, but it got away from me.", resrc=resrc)
            return body
        method = self.method.decode("iso-8859-1")
        if self.method in supportedMethods:
            known = ", ".join(each.decode("iso-8859-1") for each in allowed)
            uri = self.uri.decode("utf-8", "backslashreplace")
            page = errorPage(
                http.NOT_ALLOWED,
                "Method Not Allowed",
                f"{uri} cannot be asked with {method}, only with {known or 'nothing'}.",
            )
            body = page.render(self)
            self.setHeader(b"allow", b", ".join(allowed))
            return body
        return errorPage(
            http.NOT_IMPLEMENTED, "Method Not Implemented", f"This server does not know the method {method}."
        ).render(self)

    def _answerNoBytes(self, resrc: Any, value: object) -> None:
        """Say that a renderer returned what is no answer."""
        _log.error(
            "{resrc!r} returned {value!r} for {request!r}: a renderer returns bytes, NOT_DONE_YET, or a Deferred, a coroutine or an "
            "asynchronous iterator of bytes",
            resrc=resrc, value=value, request=self,
        )  # fmt: skip
        if self.finished or self.startedWriting or self.channel is None:
            self._breakOff()
            return
        shown = (f"<pre>{escape(safe_repr(thing))}</pre>" for thing in (self, resrc, value))
        said = "Request: {}<br />Resource: {}<br />Value: {}".format(*shown)
        page = _PlainErrorPage(http.INTERNAL_SERVER_ERROR, "Request did not return bytes", said)
        page._plain = True
        self._answerInstead(page.render(self))

    def processingFailed(self, reason: Failure) -> Failure:
        """End the response because of a failure, which is logged.

        If nothing has been sent yet, it is a page with code 500, which has the traceback if the site's
        ``displayTracebacks`` is true.  Otherwise the connection is closed, so that the client sees that something is
        missing.  A form that cannot be read is the client's failure: code 400, and nothing in the log.

        :returns: *reason*.
        """
        if reason.check(FormError) is not None and not (self.finished or self.startedWriting):
            self._answerInstead(errorPage(http.BAD_REQUEST, "Bad Request", str(reason.value)).render(self))
            return reason
        _log.failure("{method} {uri} has failed", reason, method=self.method, uri=self.uri)
        if self.finished or self.startedWriting or self.channel is None:
            self._breakOff()
            return reason
        if self.site.displayTracebacks:
            from torsion.web.failures import formatFailure

            body = (
                b"<html><head><title>web.Server Traceback (most recent call last)</title></head>"
                b"<body><b>web.Server Traceback (most recent call last):</b>\n\n"
                + formatFailure(reason)
                + b"\n\n</body></html>\n"
            )
        else:
            body = styled(
                self, http.INTERNAL_SERVER_ERROR, "Processing Failed", "The server could not answer this request."
            ) or (b"<html><head><title>Processing Failed</title></head><body><b>Processing Failed</b></body></html>")
        self.setResponseCode(http.INTERNAL_SERVER_ERROR)
        self.setHeader(b"content-type", b"text/html")
        self._answerInstead(body)
        return reason

    def _answerInstead(self, body: bytes) -> None:
        """Send *body* in the place of the one that was being made."""
        for name in _OF_A_BODY:
            self.responseHeaders.removeHeader(name)
        self._encoder = self.etag = self.lastModified = None
        self._answer(body)

    def _breakOff(self) -> None:
        """Close the connection amid a response; nothing if the response has ended, or the client has left."""
        channel = self.channel
        if self.finished or channel is None:
            return
        if self.clientproto in (b"HTTP/1.0", b"HTTP/0.9") and not self.responseHeaders.hasHeader(b"content-length"):
            channel.abortConnection()  # a usual end would be that of the response
        else:
            self.loseConnection()

    def write(self, data: bytes) -> None:
        """Write a part of the body; the head goes before the first.

        :raises RuntimeError: after :meth:`finish`.
        """
        if not self.startedWriting:
            kind = self.defaultContentType
            if kind is not None and self.code not in _NO_BODY:
                headers = self.responseHeaders
                if not headers.hasHeader(b"content-type") and headers.getRawHeaders(b"content-length") != [b"0"]:
                    headers.setRawHeaders(b"content-type", [kind])
        if self._fakesHead:
            data = b""  # its method is GET to the resource
            if not self.startedWriting:
                self.method, method = b"HEAD", self.method
                try:
                    super().write(data)
                finally:
                    self.method = method
            return
        if self._encoder is not None:
            data = self._encoder.encode(data)
        super().write(data)

    write.lets_files_pass = True  # type: ignore[attr-defined]  # but for an encoder and ``HEAD``, which are asked for

    def finish(self) -> None:
        """End the response.

        :raises RuntimeError: if it has ended, or the client has left.
        """
        if self._encoder is not None:
            rest = self._encoder.finish()
            self._encoder = None
            if rest:
                super().write(rest)
        super().finish()

    # Where it is

    def _urlOf(self, segments: list[bytes]) -> bytes:
        secure = self.isSecure()
        # What the client has asked is what it can ask again: behind a proxy, the port where we listen may be another.
        host: bytes | None = self.getHeader(b"host")
        if not host:
            address = self.getHost()
            host = self.getRequestHostname()
            if b":" in host:
                host = b"[" + host + b"]"
            if isinstance(address, IPv4Address | IPv6Address) and address.port != (443 if secure else 80):
                host += b":%d" % address.port
        path = "/".join(quote(segment, safe="") for segment in segments).encode("ascii")
        return (b"https://" if secure else b"http://") + host + b"/" + path

    def prePathURL(self) -> bytes:
        """Return the URL of the resource, absolute."""
        return self._urlOf(self.prepath)

    def URLPath(self) -> URLPath:
        """Return the request's :class:`torsion.python.urlpath.URLPath`."""
        from torsion.python import urlpath

        return urlpath.URLPath.fromRequest(self)

    def rememberRootURL(self) -> None:
        """Remember that the application begins at what has been used of the path, but for the last segment."""
        self.appRootURL = self._urlOf(self.prepath[:-1])

    def getRootURL(self) -> bytes | None:
        """Return the URL that was remembered, or None."""
        return self.appRootURL

    def sibLink(self, name: bytes) -> bytes:
        """Return a relative link to *name* beside the resource."""
        return b"../" * len(self.postpath) + name if self.postpath else name

    def childLink(self, name: bytes) -> bytes:
        """Return a relative link to *name* below the resource."""
        left = len(self.postpath)
        if left:
            return b"../" * (left - 1) + name
        last = self.prepath[-1] if self.prepath else b""
        return last + b"/" + name if last else name

    # Sessions

    @property
    def session(self) -> Session | None:
        """The session, if one was asked for: over TLS, that of TLS only."""
        return self._secureSession if self.isSecure() else self._plainSession

    @overload
    def getSession(self, sessionInterface: None = None, forceNotSecure: bool = False) -> Session: ...
    @overload
    def getSession(self, sessionInterface: Any, forceNotSecure: bool = False) -> Any: ...
    def getSession(self, sessionInterface: Any = None, forceNotSecure: bool = False) -> Any:
        """Return the client's session; begin one if it has none, and have a cookie set.

        Over TLS the session is one that is only known there, and its cookie is never sent in the clear: the name of a session
        that was begun without TLS, which others may have seen or set, leads to none.

        :param sessionInterface: an interface: then that component of the session is returned.
        :param forceNotSecure: for the other session, also over TLS.
        """
        secure = self.isSecure() and not forceNotSecure
        session = self._secureSession if secure else self._plainSession
        site = self.site
        if session is not None and site.sessions.get(session.uid) is not session:
            session = None  # it has ended meanwhile
        if session is None:
            name = b"_".join([b"TWISTED_SECURE_SESSION" if secure else b"TWISTED_SESSION", *self.sitepath])
            uid = self.getCookie(name)
            try:
                session = site.getSession(uid)
                if getattr(session, "secure", None) is (not secure):
                    raise KeyError(uid)
            except KeyError:
                session = site.makeSession()
                self.addCookie(name, session.uid, path=b"/", secure=secure, httpOnly=True, sameSite=b"lax")
        session.secure = secure
        session.touch()
        if secure:
            self._secureSession = session
        else:
            self._plainSession = session
        return session if sessionInterface is None else session.getComponent(sessionInterface)
