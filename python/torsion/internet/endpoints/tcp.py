"""TCP endpoints for one address: numeric, or a name that is looked up for one family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.defer import CancelledError, execute
from torsion.internet.endpoints.lookup import addresses_of
from torsion.internet.endpoints.wrapper import connect_with
from torsion.internet.error import ConnectingCancelledError, DNSLookupError
from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from torsion.internet.interfaces.binding import Binding
from torsion.internet.transports.numeric import isIPv6Address

if TYPE_CHECKING:
    from typing import NoReturn

    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IListeningPort, IProtocolFactory
    from torsion.python.failure import Failure

__all__ = ["TCP4ClientEndpoint", "TCP4ServerEndpoint", "TCP6ClientEndpoint", "TCP6ServerEndpoint"]


@implementer(IStreamServerEndpoint)
class _TCPServerEndpoint:
    """A TCP port to listen at."""

    def __init__(self, reactor: Any, port: int, backlog: int, interface: str, reusePort: bool) -> None:
        self._reactor = reactor
        self._port = port
        self._backlog = backlog
        self._interface = interface
        self._reusePort = reusePort

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._interface or '*'}:{self._port}>"

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen, and give each connection to a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with the port, or fails with
            :class:`torsion.internet.error.CannotListenError`.
        """
        return execute(self._listen, protocolFactory)

    def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        port, backlog, interface = self._port, self._backlog, self._interface
        if self._reusePort:
            place = Binding(interface, port, reusePort=True)
            # Any reactor of that interface.
            return self._reactor.listenTCP(place, factory, backlog=backlog)  # type: ignore[no-any-return]
        # Any reactor of that interface.
        return self._reactor.listenTCP(port, factory, backlog=backlog, interface=interface)  # type: ignore[no-any-return]


class TCP4ServerEndpoint(_TCPServerEndpoint):
    """A TCP port over IPv4."""

    def __init__(
        self, reactor: Any, port: int, backlog: int = 50, interface: str = "", *, reusePort: bool = False
    ) -> None:
        """Describe a port.

        :param reactor: provides ``IReactorTCP``.
        :param port: the port's number; 0 lets the system choose.
        :param backlog: how many connections the system may keep waiting to be accepted.
        :param interface: the numeric address to listen at; empty means all.
        :param reusePort: let other sockets listen there as well, of this process or another of the same user's; the system
            shares connections out among them (``SO_REUSEPORT``).
        """
        super().__init__(reactor, port, backlog, interface, reusePort)


class TCP6ServerEndpoint(_TCPServerEndpoint):
    """A TCP port over IPv6."""

    def __init__(
        self, reactor: Any, port: int, backlog: int = 50, interface: str = "::", *, reusePort: bool = False
    ) -> None:
        """Describe a port.

        :param reactor: provides ``IReactorTCP``.
        :param port: the port's number; 0 lets the system choose.
        :param backlog: how many connections the system may keep waiting to be accepted.
        :param interface: the numeric address to listen at; ``::`` means all.
        :param reusePort: let other sockets listen there as well, of this process or another of the same user's; the system
            shares connections out among them (``SO_REUSEPORT``).
        """
        super().__init__(reactor, port, backlog, interface, reusePort)


class _TCPClientEndpoint:
    """A TCP port to connect to."""

    def __init__(
        self,
        reactor: Any,
        host: str,
        port: int,
        timeout: float = 30,
        bindAddress: str | tuple[bytes | str, int] | Binding | None = None,
    ) -> None:
        """Describe a port to connect to.

        :param reactor: provides ``IReactorTCP``.
        :param host: the host's name, or its numeric address.
        :param port: the port's number.
        :param timeout: after how many seconds to give up.
        :param bindAddress: this end's address, with or without a port, if it matters.
        """
        self._reactor = reactor
        self._host = host
        self._port = port
        self._timeout = timeout
        self._bindAddress = (bindAddress, 0) if isinstance(bindAddress, str) else bindAddress

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._host}:{self._port}>"

    def _connect_to(self, host: str, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        return connect_with(
            lambda factory: self._reactor.connectTCP(
                host, self._port, factory, timeout=self._timeout, bindAddress=self._bindAddress
            ),
            protocolFactory,
        )


@implementer(IStreamClientEndpoint)
class TCP4ClientEndpoint(_TCPClientEndpoint):
    """A TCP port to connect to over IPv4; a name is looked up as by the reactor's ``resolve``."""

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """Connect, for a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with the protocol once its connection is made.  It fails with a
            :class:`torsion.internet.error.ConnectError`, with :class:`torsion.internet.error.DNSLookupError`, or with what
            the factory raised.
        """
        return self._connect_to(self._host, protocolFactory)


@implementer(IStreamClientEndpoint)
class TCP6ClientEndpoint(_TCPClientEndpoint):
    """A TCP port to connect to over IPv6; a name is looked up by the reactor's name resolver."""

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """Connect, for a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with the protocol once its connection is made.  It fails with a
            :class:`torsion.internet.error.ConnectError`, with :class:`torsion.internet.error.DNSLookupError`, or with what
            the factory raised.
        """
        if isIPv6Address(self._host):
            return self._connect_to(self._host, protocolFactory)
        return self._look_up(protocolFactory)

    def _look_up(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        def given_up(reason: Failure) -> NoReturn:
            reason.trap(CancelledError)
            raise ConnectingCancelledError(IPv6Address("TCP", self._host, self._port))

        def found(addresses: list[IPv4Address | IPv6Address]) -> Deferred[Any]:
            if not addresses:
                raise DNSLookupError(f"no IPv6 address was found for {self._host!r}")
            return self._connect_to(addresses[0].host, protocolFactory)

        looking = addresses_of(self._reactor, self._host, self._port, [IPv6Address], self._timeout)
        return looking.addErrback(given_up).addCallback(found)
