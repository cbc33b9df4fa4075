"""Calls by XML-RPC: ``Proxy(b"http://host/RPC2").callRemote("add", 2, 3)``."""

from __future__ import annotations

import xmlrpc.client
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

from torsion.internet import _current
from torsion.internet.defer import Deferred
from torsion.internet.protocol import ClientFactory, connectionDone
from torsion.python.failure import Failure
from torsion.web.http.oldclient import HTTPClient

from .reading import MAX_LENGTH, TooLong, load

if TYPE_CHECKING:
    from torsion.internet.interfaces import IConnector

__all__ = ["Proxy", "QueryFactory", "QueryProtocol", "payloadTemplate"]

payloadTemplate: Final = """<?xml version="1.0"?>
<methodCall>
<methodName>%s</methodName>
%s
</methodCall>
"""
"""A call: the method's name, and the arguments as XML, go into it."""

_USER_AGENT: Final = b"Twisted/XMLRPClib"  # as Twisted says it; some servers look for that


class QueryProtocol(HTTPClient):
    """Sends one call, and reads what it returns: the protocol of a :class:`QueryFactory`."""

    factory: Any
    _response: bytes | None = None
    _received = 0

    def connectionMade(self) -> None:
        """Send the call."""
        factory = self.factory
        self.sendCommand(b"POST", factory.path)
        self.sendHeader(b"User-Agent", _USER_AGENT)
        self.sendHeader(b"Host", factory.host)
        self.sendHeader(b"Content-type", b"text/xml; charset=utf-8")
        self.sendHeader(b"Content-length", b"%d" % len(factory.payload))
        if factory.user:
            secret = b64encode(b":".join([factory.user, factory.password or b""]))
            self.sendHeader(b"Authorization", b"Basic " + secret)
        self.endHeaders()
        assert self.transport is not None
        self.transport.write(factory.payload)

    def handleStatus(self, version: bytes, status: bytes, message: bytes) -> None:
        """Fail if the code is not 200."""
        if status != b"200":
            self.factory.badStatus(status, message)
            assert self.transport is not None
            self.transport.loseConnection()

    def handleResponsePart(self, data: bytes) -> None:
        """Keep a part of the response."""
        self._received += len(data)
        if self._received > MAX_LENGTH:
            self.factory.failed(Failure(TooLong(f"the response is longer than {MAX_LENGTH} bytes")))
            assert self.transport is not None
            self.transport.abortConnection()
        else:
            super().handleResponsePart(data)

    def handleResponse(self, contents: bytes) -> None:
        """Keep the response until the connection is closed, which comes next."""
        self._response = contents
        assert self.transport is not None
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Take the response as it is, if all of it has come."""
        if not self.length:
            super().connectionLost(reason)
        if self._response is not None:
            response, self._response = self._response, None
            self.factory.parseResponse(response)


class QueryFactory(ClientFactory):
    """One call.

    :ivar deferred: fires with what the call returns; None once it has fired.
    :ivar path: the target of the request.
    :ivar host: what the server is called.
    :ivar payload: the call, as XML.
    """

    deferred: Deferred[Any] | None = None
    protocol = QueryProtocol
    noisy = False

    def __init__(
        self,
        path: bytes,
        host: bytes,
        method: str,
        user: bytes | None = None,
        password: bytes | None = None,
        allowNone: bool = False,
        args: tuple[Any, ...] = (),
        canceller: Callable[[Deferred[Any]], Any] | None = None,
        useDateTime: bool = False,
    ) -> None:
        """Make a call.

        :param method: the name of the method.
        :param user: the name for HTTP basic authentication.
        :param password: the password for it.
        :param allowNone: whether None can be sent, which not all servers know.
        :param args: what the method is called with.
        :param canceller: what to do when :attr:`deferred` is cancelled.
        :param useDateTime: whether to get ``datetime`` objects, and not :class:`DateTime`.
        :raises TypeError: if *args* has what cannot be sent.
        :raises OverflowError: if a number in it is too large.
        """
        self.path, self.host = path, host
        self.user, self.password = user, password
        params = xmlrpc.client.dumps(args, allow_none=allowNone)
        self.payload = (payloadTemplate % (xmlrpc.client.escape(method), params)).encode("utf-8")
        self.deferred = Deferred(canceller)
        self.useDateTime = useDateTime

    def parseResponse(self, contents: bytes | str) -> None:
        """Have the call return what is in a response, or fail with the fault that is in it."""
        if self.deferred is None:
            return
        try:
            result = load(contents, self.useDateTime)[0][0]
        except Exception:  # noqa: BLE001 - the stdlib's reader raises anything for what it cannot read
            self.failed(Failure())
        else:
            deferred, self.deferred = self.deferred, None
            deferred.callback(result)

    def failed(self, reason: Failure) -> None:
        """Have the call fail, if it is not over."""
        deferred, self.deferred = self.deferred, None
        if deferred is not None:
            deferred.errback(reason)

    def clientConnectionLost(self, _: Any, reason: Failure) -> None:
        """Fail if there was no response."""
        self.failed(reason)

    def clientConnectionFailed(self, _: Any, reason: Failure) -> None:
        """Fail: there is no connection."""
        self.failed(reason)

    def badStatus(self, status: bytes, message: bytes) -> None:
        """Fail with a ``ValueError`` for a response that is an error of HTTP."""
        self.failed(Failure(ValueError(status, message)))


class Proxy:
    """A server whose methods can be called by XML-RPC.

    :cvar queryFactory: what makes the factory of a call: :class:`QueryFactory`.
    """

    queryFactory: Callable[..., QueryFactory] = QueryFactory

    def __init__(
        self,
        url: bytes | str,
        user: bytes | None = None,
        password: bytes | None = None,
        allowNone: bool = False,
        useDateTime: bool = False,
        connectTimeout: float = 30.0,
        reactor: Any = None,
    ) -> None:
        """Say where the server is.

        :param url: the URL, ``http`` or ``https``; a name and a password may stand in it.  Over TLS the server's certificate is verified.
        :param user: the name for HTTP basic authentication, instead of the URL's.
        :param password: the password for it.
        :param allowNone: whether None can be sent, which not all servers know.
        :param useDateTime: whether to get ``datetime`` objects, and not :class:`DateTime`.
        :param connectTimeout: how many seconds to wait for a connection.
        :param reactor: the reactor; the one that is installed, if it is not given.
        :raises ValueError: if the URL is no such URL.
        """
        parts = urlsplit(url.encode("ascii") if isinstance(url, str) else url)
        if parts.scheme not in (b"http", b"https") or not parts.hostname:
            raise ValueError(f"the URL of a server begins with http:// or https:// and its name, {url!r} does not")
        self.secure = parts.scheme == b"https"
        self.host = parts.hostname
        self.port = parts.port
        self.path = (parts.path or b"/") + (b"?" + parts.query if parts.query else b"")
        self.user = unquote_to_bytes(parts.username) if user is None and parts.username is not None else user
        self.password = (
            unquote_to_bytes(parts.password) if password is None and parts.password is not None else password
        )
        self.allowNone = allowNone
        self.useDateTime = useDateTime
        self.connectTimeout = connectTimeout
        self._reactor = reactor

    def callRemote(self, method: str, *args: Any) -> Deferred[Any]:
        """Call a method.

        :param method: its name.
        :param args: what to call it with: numbers, text, bytes as :class:`Binary`, :class:`DateTime`, lists, dictionaries with names of text.
        :returns: fires with what it returns.  It fails with a :class:`Fault` if the server sends one, with a ``ValueError`` for a
            response that is an error of HTTP, with the reason if there is no connection.  If it is cancelled, the connection is closed.
        :raises TypeError: if *args* has what cannot be sent.
        """

        def cancel(_: Deferred[Any]) -> None:
            factory.deferred = None
            connector.disconnect()

        factory = self.queryFactory(
            self.path, self.host, method, self.user, self.password, self.allowNone, args, cancel, self.useDateTime
        )
        reactor = _current.current_reactor() if self._reactor is None else self._reactor
        name = self.host.decode("ascii")
        connector: IConnector
        if self.secure:
            from torsion.internet.ssl import optionsForClientTLS  # late: most calls are not over TLS

            connector = reactor.connectSSL(
                name, self.port or 443, factory, optionsForClientTLS(name), timeout=self.connectTimeout
            )
        else:
            connector = reactor.connectTCP(name, self.port or 80, factory, timeout=self.connectTimeout)
        assert factory.deferred is not None
        return factory.deferred
