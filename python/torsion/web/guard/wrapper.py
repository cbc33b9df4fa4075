"""A resource before which clients must say who they are: each sees the resource that a realm has for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.cred.credentials import Anonymous
from torsion.cred.error import LoginFailed, Unauthorized
from torsion.logger import Logger
from torsion.python.components import proxyForInterface
from torsion.web.http.status import INTERNAL_SERVER_ERROR, UNAUTHORIZED
from torsion.web.pages import errorPage
from torsion.web.resource import IResource
from torsion.web.util import DeferredResource

if TYPE_CHECKING:
    from torsion.cred.portal import Portal
    from torsion.python.failure import Failure

__all__ = ["HTTPAuthSessionWrapper", "UnauthorizedResource"]

_log = Logger(namespace="torsion.web.guard")


def _quoted(value: bytes | str) -> bytes:
    """Return *value* as a quoted string (RFC 9110 section 5.6.4)."""
    data = value.encode("utf-8") if isinstance(value, str) else value
    return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


@implementer(IResource)
class UnauthorizedResource:
    """Says how a client can show who it is: code 401, and a challenge of each scheme that is taken."""

    isLeaf = True

    def __init__(self, factories: Iterable[Any]) -> None:
        """Make one.

        :param factories: ``iweb.ICredentialFactory``, the schemes.
        """
        self._factories = factories

    def render(self, request: Any) -> bytes:
        """Answer with the challenges."""
        request.setResponseCode(UNAUTHORIZED)
        for factory in self._factories:
            challenge = factory.getChallenge(request)
            fields = b", ".join(name.encode("ascii") + b"=" + _quoted(value) for name, value in challenge.items())
            request.responseHeaders.addRawHeader(b"www-authenticate", b" ".join((factory.scheme, fields)).strip())
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        return b"" if request.method == b"HEAD" else b"Unauthorized"

    def getChildWithDefault(self, path: bytes, request: Any) -> UnauthorizedResource:
        """Return itself: nothing is seen of what is below it."""
        return self

    def putChild(self, path: bytes, child: Any) -> None:
        """Refuse: there is nothing below it.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError("an UnauthorizedResource has no children")


class _Avatar(proxyForInterface(IResource, "resource")):  # type: ignore[misc]  # a class made at run time
    """What a realm has for a user, who is logged out once a response has been made."""

    def __init__(self, resource: Any, logout: Callable[[], Any]) -> None:
        super().__init__(resource)
        self._logout = logout

    def getChildWithDefault(self, name: bytes, request: Any) -> _Avatar:
        """Return a child, which does the same."""
        return _Avatar(self.resource.getChildWithDefault(name, request), self._logout)

    def getEncoder(self, request: Any) -> Any:
        """Return what encodes the response, if the resource has such a thing."""
        encoder_for = getattr(self.resource, "getEncoder", None)
        return None if encoder_for is None else encoder_for(request)

    def render(self, request: Any) -> Any:
        """Answer as the resource does; log out when the response is complete, or never will be."""

        def log(reason: Failure) -> None:
            _log.failure("A user could not be logged out", reason)

        request.notifyFinish().addBoth(lambda _: self._logout()).addErrback(log)
        return self.resource.render(request)


@implementer(IResource)
class HTTPAuthSessionWrapper:
    """A resource that stands before others: clients show who they are, and see what a portal's realm has for them.

    They do so with each request; who does not at all is anonymous, if the portal lets such in.
    """

    isLeaf = False

    def __init__(self, portal: Portal, credentialFactories: Iterable[Any]) -> None:
        """Make one.

        :param portal: checks credentials, and has a realm that has avatars for ``resource.IResource``.
        :param credentialFactories: ``iweb.ICredentialFactory``, the schemes.
        """
        self._portal = portal
        self._factories = credentialFactories

    def putChild(self, path: bytes, child: Any) -> None:
        """Refuse: the realm says what is there.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError("what is behind an HTTPAuthSessionWrapper is what the portal's realm gives")

    def render(self, request: Any) -> Any:
        """Answer as the user's resource does."""
        return self._for(request).render(request)

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        """Return the user's resource, from where the path goes on."""
        request.postpath.insert(0, request.prepath.pop())
        return self._for(request)

    def _for(self, request: Any) -> Any:
        """Return a resource for whoever makes a request."""
        header = request.getHeader(b"authorization")
        if not header:
            return self._login(Anonymous())
        scheme, _, rest = header.partition(b" ")
        for factory in self._factories:
            if factory.scheme.lower() == scheme.lower():
                break
        else:
            return UnauthorizedResource(self._factories)
        try:
            credentials = factory.decode(rest.strip(), request)
        except LoginFailed:
            return UnauthorizedResource(self._factories)
        except Exception:  # noqa: BLE001 - a factory's mistake is not the client's to see
            _log.failure("Credentials of the scheme {scheme} could not be decoded", scheme=factory.scheme)
            return _internal_error()
        return self._login(credentials)

    def _login(self, credentials: Any) -> DeferredResource:
        deferred = self._portal.login(credentials, None, IResource)
        return DeferredResource(deferred.addCallbacks(self._loggedIn, self._refused))

    def _loggedIn(self, result: tuple[Any, Any, Callable[[], Any]]) -> _Avatar:
        _, avatar, logout = result
        return _Avatar(avatar, logout)

    def _refused(self, reason: Failure) -> Any:
        if reason.check(Unauthorized, LoginFailed):
            return UnauthorizedResource(self._factories)
        _log.failure("A login has failed in another way than that it was refused", reason)
        return _internal_error()


def _internal_error() -> Any:
    return errorPage(INTERNAL_SERVER_ERROR, "Internal Error", "Who you are could not be checked.")
