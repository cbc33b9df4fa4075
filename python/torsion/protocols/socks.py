"""A proxy that speaks SOCKS 4 and 4a: clients tell it where they want to be connected to, or to wait for a connection.

Anybody who can connect to it can have it connect anywhere: listen at an address that only its users reach, or override
:meth:`SOCKSv4.authorize`.  Requests that never end are :class:`~torsion.protocols.policies.TimeoutFactory`'s business.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet import _current
from torsion.internet.defer import Deferred, maybeDeferred, succeed
from torsion.internet.interfaces import IHalfCloseableProtocol
from torsion.internet.protocol import ClientCreator, Factory, connectionDone
from torsion.logger import Logger
from torsion.protocols.portforward import Proxy
from torsion.wire import RemoteProtocolError
from torsion.wire.socks import Command, Reply, ReplyCode, Request, RequestReader, encode_reply

if TYPE_CHECKING:
    from torsion.internet.interfaces import IAddress, IListeningPort
    from torsion.python.failure import Failure

__all__ = ["SOCKSv4", "SOCKSv4Factory", "SOCKSv4Incoming", "SOCKSv4IncomingFactory", "SOCKSv4Outgoing"]

_log = Logger()


class _Far(Proxy):
    """The proxy's connection with whoever the client wants to speak with."""

    def __init__(self, socks: SOCKSv4) -> None:
        """Make one side of a forwarded connection.

        :param socks: the other side: the client's connection.
        """
        self.socks = socks

    def dataReceived(self, data: bytes) -> None:
        """Pass *data* on to the client."""
        if self.peer is not None:
            self.socks.write(data)

    def write(self, data: bytes) -> None:
        """Send what the client says."""
        self.socks.log(self, data)
        self.transport.write(data)


class SOCKSv4Outgoing(_Far):
    """A connection that was made for a client."""

    def connectionMade(self) -> None:
        """Tell the client, and join the two."""
        peer = self.transport.getPeer()
        self.socks.makeReply(ReplyCode.GRANTED, 0, port=peer.port, ip=peer.host)
        self.socks._join(self)


class SOCKSv4Incoming(_Far):
    """A connection that a client was waiting for."""

    def connectionMade(self) -> None:
        """Join the two."""
        self.socks._join(self)


@implementer(IHalfCloseableProtocol)
class SOCKSv4(Proxy):
    """A client's connection with the proxy.

    :ivar logging: the name of the file to which what is said is appended, or None.
    :ivar reactor: by which to connect, listen and look up names.
    """

    _lost = False
    _asked = False
    _rest = b""  # what the client says to whoever is still to be connected
    _attempt: Deferred[Any] | None = None
    _port: IListeningPort | None = None  # where a connection is waited for

    def __init__(self, logging: str | None = None, reactor: Any = None) -> None:
        """Make a proxy for one client.

        :param logging: the name of a file, or None.
        :param reactor: None for the current one.
        """
        self.logging = logging
        self.reactor = reactor
        self._reader = RequestReader()

    @property
    def otherConn(self) -> Any:
        """The connection that the client speaks through, or None before it stands and after it is lost."""
        return self.peer

    @otherConn.setter
    def otherConn(self, side: Any) -> None:
        self.peer = side

    # --- what the client says ----------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Begin to read the request."""
        if self.reactor is None:
            self.reactor = _current.current_reactor()

    def dataReceived(self, data: bytes) -> None:
        """Read the request; pass on what comes after it."""
        if self.otherConn is not None:
            self.otherConn.write(data)
        elif self._asked:
            self._rest += data  # no more than had been read when the transport was paused
        else:
            self._reader.receive_data(data)
            try:
                request = self._reader.next_event()
            except RemoteProtocolError as error:
                _log.warn("A SOCKS request from {peer} is refused: {error}", peer=self.transport.getPeer(), error=error)
                self._asked = True
                self.makeReply(ReplyCode.REFUSED)
                return
            if isinstance(request, Request):
                self._asked = True
                self._rest = self._reader.take_rest()
                self.transport.pauseProducing()
                self._begin(request)

    def _begin(self, request: Request) -> None:
        if request.named:
            attempt = maybeDeferred(self.reactor.resolve, request.host.encode("ascii"))
        else:
            attempt = succeed(request.host)
        self._attempt = attempt
        attempt.addCallback(self._serve, request)
        attempt.addErrback(self._failed, request)

    def _serve(self, host: str, request: Request) -> Any:
        """Do what was asked for; *host* is numeric."""
        if not self.authorize(request.command, host, request.port, request.user):
            self.makeReply(ReplyCode.REFUSED)
            return None
        if request.command == Command.CONNECT:
            return self.connectClass(host, request.port, SOCKSv4Outgoing, self)
        if request.command == Command.BIND:
            listening = self.listenClass(0, SOCKSv4IncomingFactory, self, host)
            return listening.addCallback(lambda place: self.makeReply(ReplyCode.GRANTED, 0, place[1], place[0]))
        raise RemoteProtocolError(f"there is no SOCKS command {request.command}")

    def _failed(self, reason: Failure, request: Request) -> None:
        if not self._lost:
            _log.info("{request} cannot be served: {error}", request=request, error=reason.getErrorMessage())
            self.makeReply(ReplyCode.REFUSED)

    def _join(self, far: _Far) -> None:
        """Let the client speak with *far*, which stands."""
        if self._lost:
            far.transport.loseConnection()
            return
        self._attempt = None
        far.setPeer(self)
        self.setPeer(far)
        far._readPeer(self)
        self._readPeer(far)
        if rest := self._rest:
            self._rest = b""
            far.write(rest)
        self.transport.resumeProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Close the other connection, give up what was asked for, and wait for nobody any more."""
        self._lost = True
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        self._stop_waiting()
        super().connectionLost(reason)

    def _stop_waiting(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.stopListening()

    # --- for overriding ----------------------------------------------------------------------------------------------

    def authorize(self, code: int, server: str, port: int, user: bytes) -> Any:
        """Return whether to do what is asked for. Here that is done for everybody.

        :param code: 1 to connect, 2 to wait for a connection.
        :param server: the numeric address to connect to, or to wait for.
        :param port: the port to connect to.
        :param user: who the client says it is: nobody has checked it.
        """
        _log.info(
            "SOCKS command {code} for {server}:{port}, user {user!r}, is served",
            code=code,
            server=server,
            port=port,
            user=user,
        )
        return True

    def connectClass(self, host: str, port: int, klass: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Connect to a port, with a protocol of *klass* that is made with *args*; the Deferred fires with it."""
        return ClientCreator(self.reactor, klass, *args).connectTCP(host, port)

    def listenClass(self, port: int, klass: Callable[..., Any], *args: Any) -> Deferred[tuple[str, int]]:
        """Listen at a port with a factory of *klass* that is made with *args*; the Deferred fires with where that is."""
        self._port = self.reactor.listenTCP(port, klass(*args))
        host: Any = self._port.getHost()
        return succeed((host.host, host.port))

    # --- what the client is told -------------------------------------------------------------------------------------

    def makeReply(self, reply: int, version: int = 0, port: int = 0, ip: str = "0.0.0.0") -> None:  # noqa: S104 - no address is known
        """Answer the request; close the connection after any answer but that it was granted.

        :param reply: a :class:`~torsion.wire.socks.ReplyCode`.
        :param version: of the answer, which is 0.
        :param port: where the client's connection goes to, or is waited for.
        :param ip: the same, as a numeric IPv4 address.
        """
        self.transport.write(encode_reply(Reply(reply, port, ip, version)))
        if reply != ReplyCode.GRANTED:
            self.transport.loseConnection()

    def write(self, data: bytes) -> None:
        """Send what the other side says."""
        self.log(self, data)
        self.transport.write(data)

    def log(self, proto: Any, data: bytes) -> None:
        """Append to the log file, if there is one, that *proto* was sent *data*."""
        if self.logging is None:
            return
        client, far = self.transport.getPeer(), self.otherConn.transport.getPeer()
        arrow = "<" if proto is self else ">"
        with Path(self.logging).open("a", encoding="ascii") as file:
            file.write(f"{client.host}:{client.port} {arrow} {far.host}:{far.port} {data!r}\n")


class SOCKSv4Factory(Factory[Any]):
    """Makes a proxy for each client."""

    def __init__(self, log: str | None) -> None:
        """Make a factory.

        :param log: the name of a file to which all that is said is appended, or None.
        """
        self.logging = log

    def buildProtocol(self, addr: IAddress | None) -> SOCKSv4:
        """Make a proxy."""
        protocol = SOCKSv4(self.logging)
        protocol.factory = self
        return protocol


class SOCKSv4IncomingFactory(Factory[Any]):
    """Waits for one connection, from one host.

    :ivar ip: the host's numeric address; empty once somebody has connected.
    """

    noisy = False

    def __init__(self, socks: SOCKSv4, ip: str) -> None:
        """Wait on behalf of a client.

        :param socks: the client's connection.
        :param ip: the numeric address of whom it waits for.
        """
        self.socks = socks
        self.ip = ip

    def buildProtocol(self, addr: Any) -> SOCKSv4Incoming | None:
        """Tell the client who has connected, and make the protocol; None for anybody that it does not wait for."""
        if not self.ip:
            return None
        expected, self.ip = self.ip, ""
        self.socks._stop_waiting()
        if (addr[0] if isinstance(addr, tuple) else addr.host) != expected:
            self.socks.makeReply(ReplyCode.REFUSED)
            return None
        self.socks.makeReply(ReplyCode.GRANTED)
        return SOCKSv4Incoming(self.socks)
