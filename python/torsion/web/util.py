"""Redirections, resources that come later, and failures as pages."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from torsion.web.failures import FailureElement, formatFailure
from torsion.web.resource import NOT_DONE_YET, Resource, getChildForRequest

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred
    from torsion.python.failure import Failure

__all__ = ["DeferredResource", "FailureElement", "ParentRedirect", "Redirect", "formatFailure", "redirectTo"]


def redirectTo(URL: bytes, request: Any) -> bytes:
    """Have a response send the client elsewhere.

    :param URL: where to, as bytes.
    :param request: the request that is answered.
    :returns: a body for the response, for whoever does not follow; to be returned from a renderer.
    :raises TypeError: if *URL* is text: how its characters are written in a URL is for the caller to say.
    """
    if not isinstance(URL, bytes):
        raise TypeError(f"URL must be bytes, not {type(URL).__name__}: {URL!r}")
    request.setHeader(b"Content-Type", b"text/html; charset=utf-8")
    request.redirect(URL)
    shown = escape(URL.decode("utf-8", "replace")).replace("&#x27;", "'").encode()
    return b"""
<html>
    <head>
        <meta http-equiv="refresh" content="0;URL=%(URL)b">
    </head>
    <body bgcolor="#FFFFFF" text="#000000">
    <a href="%(URL)b">click here</a>
    </body>
</html>
""" % {b"URL": shown}


class Redirect(Resource):
    """A resource that sends clients elsewhere, whatever they ask of it."""

    isLeaf = True

    def __init__(self, url: bytes) -> None:
        """Make one.

        :param url: where to.
        """
        super().__init__()
        self.url = url

    def render(self, request: Any) -> bytes:
        """Answer with the redirection."""
        return redirectTo(self.url, request)

    def getChild(self, name: bytes, request: Any) -> Redirect:
        """Return itself: what is below it is elsewhere, too."""
        return self


class ParentRedirect(Resource):
    """A resource that sends clients to the folder that the request's URL is in."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        """Answer with the redirection, without the query."""
        parts = urlsplit(request.prePathURL())
        folder = parts.path[: parts.path.rfind(b"/") + 1] or b"/"
        return redirectTo(urlunsplit((parts.scheme, parts.netloc, folder, b"", b"")), request)


class DeferredResource(Resource):
    """A resource that stands for another which will come later.

    :ivar d: will have it.
    """

    isLeaf = True

    def __init__(self, d: Deferred[Any]) -> None:
        """Stand for what *d* fires with."""
        super().__init__()
        self.d = d

    def getChild(self, name: bytes, request: Any) -> DeferredResource:
        """Return itself: the way goes on when the resource is there."""
        return self

    def render(self, request: Any) -> int:
        """Go on with the path, from the resource on, when it is there; if it fails, so does the request."""
        self.d.addCallback(self._found, request).addErrback(self._failed, request)
        return NOT_DONE_YET

    def _found(self, child: Any, request: Any) -> None:
        request.render(getChildForRequest(child, request))

    def _failed(self, reason: Failure, request: Any) -> None:
        request.processingFailed(reason)
