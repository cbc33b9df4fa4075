"""The connection to the other server, which sends it a request and has its response become that of another."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from zope.interface import implementer

from torsion.internet.error import TimeoutError
from torsion.internet.interfaces import IConsumer, IPullProducer, IPushProducer
from torsion.internet.protocol import ClientFactory, Protocol, connectionDone
from torsion.logger import Logger
from torsion.web import http
from torsion.web.pages import errorPage
from torsion.web.proxy.passing import REPLACED, forConnectionOnly
from torsion.web.proxy.tunnel import asksForSocket, openTunnel
from torsion.wire import NEED_DATA, PAUSED, LocalProtocolError, RemoteProtocolError
from torsion.wire.http1 import Connection, Data, EndOfMessage, Role
from torsion.wire.http1 import Request as RequestHead
from torsion.wire.http1 import Response as ResponseHead

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torsion.python.failure import Failure

__all__ = ["RESPONSE", "ProxyClient", "ProxyClientFactory"]

_log = Logger()

_CHUNK: Final = 64 * 1024
"""So much is read from a file at once: what the kernel's buffer of a connection takes."""

RESPONSE: Final = 60.0
"""Seconds that the other server may take to begin its response, once it was sent the request: what other proxies give it, too."""

_PSEUDONYM: Final = b"torsion"
"""What this proxy is called in ``Via`` (RFC 9110 section 7.6.3), which does not say where it runs."""


@implementer(IPushProducer)
class ProxyClient(Protocol):
    """A connection to the other server: sends it a request, and has its response become that of another request.

    The methods ``handle…`` are called as the response comes; subclasses may change what passes.

    :ivar command: the method.
    :ivar rest: the target.
    :ivar headers: the fields that are sent, by their names in lower case.
    :ivar data: the body: bytes, or a file.
    :ivar father: the request that is answered.
    :ivar timeout: how many seconds the other server may take to begin its response; None for no limit.
    :ivar clock: for that, an ``IReactorTime``; None for no limit.
    """

    _finished = False
    _sending = False
    _headers_came = False
    _switches = False  # whether the client asks for a WebSocket
    _tunnel: Any = None
    _late: Any = None

    timeout: float | None = RESPONSE
    clock: Any = None

    def __init__(
        self, command: bytes, rest: bytes, version: bytes, headers: dict[bytes, bytes], data: Any, father: Any
    ) -> None:
        """Make one.

        :param command: the method.
        :param rest: the target.
        :param version: the version that the client speaks; the other server is not to answer in a later one.
        :param headers: the fields of the request; those for one connection only do not pass.
        :param data: the body: bytes, or a file that can be read.
        :param father: the request that is answered.
        """
        self.father = father
        self.command = command
        self.rest = rest
        self.version = version
        dropped = forConnectionOnly([headers.get(b"connection", b"")])
        self.headers = {name: value for name, value in headers.items() if name not in dropped}
        self.headers[b"connection"] = b"close"
        if asksForSocket(command, version, headers, data, father):
            self._switches = True
            self.headers[b"connection"] = b"Upgrade"
            self.headers[b"upgrade"] = b"websocket"
        self.data = data
        self._codec = Connection(Role.CLIENT)
        self._dropped = forConnectionOnly([])

    # To the other server

    def connectionMade(self) -> None:
        """Send the request."""
        father = self.father
        if father is not None:
            if getattr(father, "_disconnected", False):
                self._abandon()  # the client has left while this was connecting
                return
            father.notifyFinish().addErrback(self._clientLeft)
            if IConsumer.providedBy(father):
                father.registerProducer(self, True)
        length = self._lengthOfBody()
        if length or b"content-length" in self.headers:
            self.headers[b"content-length"] = b"%d" % length
        try:
            head = self._codec.send(RequestHead(self.command, self.rest, tuple(self.headers.items())))
        except LocalProtocolError as error:
            _log.error("A request cannot be passed on: {error}", error=error)
            self._fail(http.BAD_REQUEST, "Bad Request", "This request cannot be passed on.")
            return
        if self.version == b"HTTP/1.0":
            head = head.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)
        transport: Any = self.transport
        transport.write(head)
        self._watch()
        if isinstance(self.data, bytes):
            self._sendBody(self.data)
        elif length:
            self._sending = True
            transport.registerProducer(_Body(self), False)

    def _lengthOfBody(self) -> int:
        if isinstance(self.data, bytes):
            return len(self.data)
        length: int = self.data.seek(0, 2)
        self.data.seek(0)
        return length

    def _sendBody(self, data: bytes) -> None:
        if data:
            transport: Any = self.transport
            transport.write(self._codec.send(Data(data)))

    def _watch(self) -> None:
        """Begin, or begin again, the time in which the response has to begin: some of the request was sent."""
        if self._late is not None:
            self._late.reset(self.timeout)
        elif self.timeout is not None and self.clock is not None and not self._headers_came:
            self._late = self.clock.callLater(self.timeout, self._tooLate)

    def _watchNoLonger(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            late.cancel()

    def _tooLate(self) -> None:
        self._late = None
        _log.warn(
            "The server behind {uri} has not answered in {seconds:g} seconds", uri=self.rest, seconds=self.timeout
        )
        self._fail(http.GATEWAY_TIMEOUT, "Gateway Timeout", "The server behind this one has not answered in time.")

    # From the other server

    def dataReceived(self, data: bytes) -> None:
        """Take a part of the response."""
        if self._tunnel is not None:
            self._tunnel.dataReceived(data)
            return
        self._codec.receive_data(data)
        self._read()

    def _read(self) -> None:
        while not self._finished:
            try:
                event = self._codec.next_event()
            except RemoteProtocolError as error:
                self._broken(f"a response that cannot be read: {error}")
                return
            if event is NEED_DATA or event is PAUSED:
                if event is PAUSED:
                    self._broken("another protocol, which it was not asked for")
                return
            match event:
                case ResponseHead(status) if status < 200:
                    if status == 101 and self._switches:
                        self._switch(event)
                    elif status == 101:
                        self._broken("another protocol, which it was not asked for")
                case ResponseHead():
                    self._handleHead(event)
                case Data(part):
                    self.handleResponsePart(part)
                case EndOfMessage():
                    self.handleResponseEnd()

    def _switch(self, head: ResponseHead) -> None:
        """Have both sides talk to each other from now on: the other server consents to a WebSocket."""
        self._watchNoLonger()
        self._finished = True
        if getattr(self.father, "producer", None) is self:
            self.father.unregisterProducer()
        self._tunnel = openTunnel(self.father, head, self.transport)
        rest = self._codec.take_rest()
        if rest:
            self._tunnel.dataReceived(rest)

    def _handleHead(self, head: ResponseHead) -> None:
        self._headers_came = True
        self._watchNoLonger()
        self.handleStatus(head.version, b"%d" % head.status, head.reason)
        self._dropped = forConnectionOnly([value for name, value in head.fields if name.lower() == b"connection"])
        for name, value in head.fields:
            self.handleHeader(name, value)
        self.handleEndHeaders()

    def handleStatus(self, version: bytes, code: bytes | int, message: bytes) -> None:
        """Take the status."""
        self.father.setResponseCode(int(code), message)

    def handleHeader(self, key: bytes, value: bytes) -> None:
        """Take a field of the head.  Those for one connection only do not pass."""
        name = key.lower()
        if name in self._dropped:
            return
        if name in REPLACED:
            self.father.responseHeaders.setRawHeaders(key, [value])
        else:
            self.father.responseHeaders.addRawHeader(key, value)

    def handleEndHeaders(self) -> None:
        """Learn that the head is complete."""

    def handleResponsePart(self, buffer: bytes) -> None:
        """Take a part of the body."""
        self.father.write(buffer)

    def handleResponseEnd(self) -> None:
        """End the response, once; the connection to the other server is closed."""
        if self._finished:
            return
        self._end()
        self.father.finish()

    def _end(self) -> None:
        """Be done with both sides."""
        self._finished = True
        self._watchNoLonger()
        self._stopSending()
        father = self.father
        if getattr(father, "producer", None) is self:
            father.unregisterProducer()
        if self.transport is not None:
            self.transport.loseConnection()

    def _stopSending(self) -> None:
        if self._sending:
            self._sending = False
            transport: Any = self.transport
            transport.unregisterProducer()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Take the end of the connection for that of the response, if its head allows that."""
        if self._tunnel is not None:
            self._tunnel.connectionLost(reason)
        if self._finished:
            return
        self._codec.receive_eof()
        self._read()
        if not self._finished:
            self._broken("nothing more, in the middle of a response")

    def _broken(self, what: str) -> None:
        """Be done with a server that sends what is no response."""
        if self._finished:
            return
        _log.warn("The server behind {uri} has sent {what}", uri=self.rest, what=what)
        self._fail(
            http.BAD_GATEWAY, "Bad Gateway", "The server behind this one has not sent a response that can be read."
        )

    def _fail(self, code: int, brief: str, detail: str) -> None:
        father = self.father
        self._end()
        if father.startedWriting:
            # So that the client sees that something is missing; of some responses, a usual end would be their own.
            if father.clientproto == b"HTTP/1.0" and not father.responseHeaders.hasHeader(b"content-length"):
                father.channel.abortConnection()
            else:
                father.loseConnection()
            return
        for name in (b"content-length", b"content-encoding"):
            father.responseHeaders.removeHeader(name)
        body = errorPage(code, brief, detail).render(father)
        father.setHeader(b"content-length", b"%d" % len(body))
        father.write(body)
        father.finish()

    # From the client

    def _clientLeft(self, reason: Failure) -> None:
        if not self._finished:
            self._abandon()

    def _abandon(self) -> None:
        self._finished = True
        self._watchNoLonger()
        self._stopSending()
        transport: Any = self.transport
        transport.abortConnection()

    def pauseProducing(self) -> None:
        """Read no more of the response for now: the client does not take it."""
        transport: Any = self.transport
        transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read on."""
        transport: Any = self.transport
        transport.resumeProducing()

    def stopProducing(self) -> None:
        """Do nothing: the client has left, and the request says so."""


@implementer(IPullProducer)
class _Body:
    """Sends the body of a request from its file."""

    def __init__(self, client: ProxyClient) -> None:
        self._client = client

    def resumeProducing(self) -> None:
        """Send some more."""
        client = self._client
        data = client.data.read(_CHUNK)
        if data:
            client._sendBody(data)
            client._watch()
        else:
            client._stopSending()

    def stopProducing(self) -> None:
        """Do nothing: the connection is lost, which says so itself."""
        self._client._sending = False


class ProxyClientFactory(ClientFactory):
    """Makes the connection for one request; its attributes are those of :class:`ProxyClient`.

    :ivar forwarded: more fields for the request, which say what the other server cannot see; see ``passing.forwardedFor``.
    """

    protocol: Any = ProxyClient
    noisy = False
    timeout: float | None = RESPONSE
    clock: Any = None
    forwarded: Mapping[bytes, bytes] = MappingProxyType({})

    def __init__(
        self, command: bytes, rest: bytes, version: bytes, headers: dict[bytes, bytes], data: Any, father: Any
    ) -> None:
        """Make a factory: see :class:`ProxyClient`."""
        self.father = father
        self.command = command
        self.rest = rest
        self.headers = headers
        self.data = data
        self.version = version

    def buildProtocol(self, addr: Any) -> Any:
        """Return what sends the request."""
        headers = self.headers
        if self.father is not None:
            passed = headers.get(b"via")
            step = self.version.rpartition(b"/")[2] + b" " + _PSEUDONYM
            headers = {**headers, **self.forwarded, b"via": step if passed is None else passed + b", " + step}
        client = self.protocol(self.command, self.rest, self.version, headers, self.data, self.father)
        client.timeout, client.clock = self.timeout, self.clock
        return client

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        """Answer that the other server cannot be reached."""
        father = self.father
        if getattr(father, "_disconnected", False) or father.finished:
            return
        detail = "The server behind this one could not be reached."
        if getattr(reason, "check", lambda _: False)(TimeoutError):
            page = errorPage(http.GATEWAY_TIMEOUT, "Gateway Timeout", detail)
        else:
            page = errorPage(http.BAD_GATEWAY, "Bad Gateway", detail)
        body = page.render(father)
        father.setHeader(b"content-length", b"%d" % len(body))
        father.write(body)
        father.finish()
