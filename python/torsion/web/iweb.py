"""The interfaces of the web: requests and responses, what makes them, what renders, what logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from zope.interface import Attribute, Interface

from torsion.cred.credentials import IUsernameDigestHash
from torsion.internet.interfaces import IPushProducer

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred

__all__ = [
    "UNKNOWN_LENGTH",
    "IAccessLogFormatter",
    "IAgent",
    "IAgentEndpointFactory",
    "IBodyProducer",
    "IBodyReceiver",
    "IClientRequest",
    "ICredentialFactory",
    "INonQueuedRequestFactory",
    "IPolicyForHTTPS",
    "IRenderable",
    "IRequest",
    "IResponse",
    "ITemplateLoader",
    "IUsernameDigestHash",
]

UNKNOWN_LENGTH: Final = "torsion.web.iweb.UNKNOWN_LENGTH"
"""The length of a body that only its end tells."""


class IRequest(Interface):
    """A request to a server, and the response that is made to it."""

    method = Attribute("The method, such as ``b'GET'``.")
    uri = Attribute("The target as the client wrote it, query and all: bytes.")
    path = Attribute("The part of the target before the query, not decoded: bytes.")
    args = Attribute("Lists of values by name, of the query and of a form in the body, decoded: bytes.")
    prepath = Attribute("The segments of the path that have been used to find the resource: a list of bytes.")
    postpath = Attribute("The segments of the path that are left: a list of bytes.")
    requestHeaders = Attribute("The request's :class:`torsion.web.http_headers.Headers`.")
    content = Attribute("The body: a file that can be read and sought in.")
    responseHeaders = Attribute("The response's :class:`torsion.web.http_headers.Headers`.")

    def getHeader(key: Any) -> Any:
        """Return the last value of a header of the request, of the type of *key*, or None."""

    def getCookie(key: Any) -> Any:
        """Return the value of a cookie that the client sent, or None."""

    def getAllHeaders() -> Any:
        """Return the last value of each header of the request by its name in lower case."""

    def getRequestHostname() -> Any:
        """Return the host that the client asked, without the port: bytes, empty if it is not known."""

    def getHost() -> Any:
        """Return the address at which the connection arrived."""

    def getClientAddress() -> Any:
        """Return the address of the client."""

    def getClientIP() -> Any:
        """Return the client's IP address as text, or None; :meth:`getClientAddress` tells more."""

    def getUser() -> Any:
        """Return the user name of HTTP basic authentication, empty if there is none."""

    def getPassword() -> Any:
        """Return the password of HTTP basic authentication, empty if there is none."""

    def isSecure() -> bool:
        """Return whether the request came over TLS."""

    def getSession(sessionInterface: Any = None) -> Any:
        """Return the client's session, or a component of it; begin one if there is none."""

    def URLPath() -> Any:
        """Return the :class:`torsion.python.urlpath.URLPath` of this request."""

    def prePathURL() -> Any:
        """Return the URL of the resource that was found, absolute, as bytes."""

    def rememberRootURL() -> Any:
        """Remember where the tree of this application begins: at what has been used of the path, but for the last segment."""

    def getRootURL() -> Any:
        """Return the URL that was remembered last."""

    def finish() -> None:
        """End the response: nothing more can be written."""

    def write(data: bytes) -> None:
        """Write a part of the response's body; the head goes before the first."""

    def addCookie(
        k: Any,
        v: Any,
        expires: Any = None,
        domain: Any = None,
        path: Any = None,
        max_age: Any = None,
        comment: Any = None,
        secure: Any = None,
    ) -> None:
        """Have the client keep a cookie."""

    def setResponseCode(code: int, message: Any = None) -> None:
        """Set the status code of the response, and its reason phrase if it is not the usual one."""

    def setHeader(k: Any, v: Any) -> None:
        """Give a header of the response this one value."""

    def redirect(url: Any) -> None:
        """Have the response send the client elsewhere, with the code 302."""

    def setLastModified(when: float) -> Any:
        """Say when the resource was changed last, in seconds since 1970.

        :returns: :data:`torsion.web.http.CACHED` if the client has it already, else None.
        """

    def setETag(etag: bytes) -> Any:
        """Say which version of the resource this is.

        :returns: :data:`torsion.web.http.CACHED` if the client has it already, else None.
        """

    def setHost(host: bytes, port: int, ssl: bool = False) -> None:
        """Have the request seem to have come to another host, as a proxy in front of the server sees it."""


class IBodyReceiver(Interface):
    """Takes the body of a request as it comes, instead of having it stored.  See ``Request.streamBody``."""

    def bodyDataReceived(data: bytes) -> None:
        """Take a part of the body; how it is cut means nothing."""

    def bodyFinished(trailers: Any) -> None:
        """Learn that the body is complete.

        :param trailers: the fields after it, as pairs of bytes.
        """

    def bodyFailed(reason: Any) -> None:
        """Learn that no more of the body will come: the client has left, or sent what cannot be read.

        :param reason: a :class:`torsion.python.failure.Failure`.
        """


class INonQueuedRequestFactory(Interface):
    """Makes requests of a channel alone."""

    def __call__(channel: Any) -> Any:
        """Return a request.

        :param channel: the :class:`torsion.web.http.HTTPChannel`, or another, over which it comes.
        """


class IAccessLogFormatter(Interface):
    """Makes lines of an access log."""

    def __call__(timestamp: str, request: Any) -> Any:
        """Return a line without its end.

        :param timestamp: when the response was finished, as :func:`torsion.web.http.datetimeToLogString` writes it.
        :param request: the :class:`IRequest` that was answered.
        :returns: the line, or None to have none.
        """


class ICredentialFactory(Interface):
    """One scheme of HTTP authentication."""

    scheme = Attribute("The name of the scheme, such as ``b'basic'``.")

    def getChallenge(request: Any) -> Any:
        """Return what a client must know to authenticate: parameters of WWW-Authenticate by name."""

    def decode(response: bytes, request: Any) -> Any:
        """Return the credentials that a client sent.

        :param response: the value of Authorization without the scheme.
        :raises torsion.cred.error.LoginFailed: if they mean nothing.
        """


class IBodyProducer(IPushProducer):
    """Produces a body."""

    length = Attribute("How many bytes it will produce, or :data:`UNKNOWN_LENGTH`.")

    def startProducing(consumer: Any) -> Deferred[None]:
        """Begin to write the body to *consumer*.

        :returns: a Deferred that fires with None once all has been written, or fails.  It is neither fired nor failed after
            ``stopProducing``.
        """

    def stopProducing() -> None:
        """Stop for good."""


class IRenderable(Interface):
    """Can be part of a page."""

    def lookupRenderMethod(name: str) -> Any:
        """Return what renders where a template says *name*: it is called with the request and the tag.

        :raises torsion.web.error.MissingRenderMethod: if there is none.
        """

    def render(request: Any) -> Any:
        """Return what this becomes in a page."""


class ITemplateLoader(Interface):
    """Has a template."""

    def load() -> Any:
        """Return the template: a list of tags and what can be flattened else."""


class IResponse(Interface):
    """A response that a client was given."""

    version = Attribute("The protocol: ``(b'HTTP', 1, 1)``.")
    code = Attribute("The status code.")
    phrase = Attribute("The reason phrase: bytes.")
    headers = Attribute("The :class:`torsion.web.http_headers.Headers`.")
    length = Attribute("How many bytes the body has, or :data:`UNKNOWN_LENGTH`.")
    request = Attribute("The :class:`IClientRequest` that this is the response to.")
    previousResponse = Attribute("The response that led here, a redirect say, or None.")

    def deliverBody(protocol: Any) -> None:
        """Deliver the body to a protocol, whose ``connectionLost`` is called with ``ResponseDone`` at its end."""

    def setPreviousResponse(response: Any) -> None:
        """Set :attr:`previousResponse`."""


class IAgent(Interface):
    """Makes requests."""

    def request(method: bytes, uri: bytes, headers: Any = None, bodyProducer: Any = None) -> Deferred[Any]:
        """Make a request.

        :param method: the method, such as ``b"GET"``.
        :param uri: the absolute URI.
        :param headers: the :class:`torsion.web.http_headers.Headers` to send.
        :param bodyProducer: the :class:`IBodyProducer` of a body, or None.
        :returns: a Deferred that fires with an :class:`IResponse` once its head has come; it fails if no response can be had.
        """


class IPolicyForHTTPS(Interface):
    """Decides which certificates a client trusts."""

    def creatorForNetloc(hostname: bytes, port: int) -> Any:
        """Return what makes the TLS of connections to a host.

        :returns: an :class:`torsion.internet.interfaces.IOpenSSLClientConnectionCreator`.
        """


class IAgentEndpointFactory(Interface):
    """Decides how a client connects."""

    def endpointForURI(uri: Any) -> Any:
        """Return the endpoint at which a URI's server is to be reached.

        :param uri: a :class:`torsion.web.client.URI`.
        """


class IClientRequest(Interface):
    """A request as a client made it."""

    method = Attribute("The method: bytes.")
    absoluteURI = Attribute("The URI: bytes, or None if it is not known.")
    headers = Attribute("The :class:`torsion.web.http_headers.Headers`.")


class _IRequestEncoder(Interface):
    """Changes a response's body on its way, to compress it say."""

    def encode(data: bytes) -> bytes:
        """Return what to send for a part of the body; empty if more is needed first."""

    def finish() -> bytes:
        """Return what is left to be sent."""


class _IRequestEncoderFactory(Interface):
    """Makes encoders for those requests that allow one."""

    def encoderForRequest(request: Any) -> Any:
        """Return an :class:`_IRequestEncoder`, and set the headers that tell of it; None if there shall be none."""
