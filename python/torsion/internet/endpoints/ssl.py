"""TLS over TCP to one address, by the reactor's own ``listenSSL`` and ``connectSSL``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import execute
from torsion.internet.endpoints.wrapper import connect_with
from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IListeningPort, IProtocolFactory

__all__ = ["SSL4ClientEndpoint", "SSL4ServerEndpoint"]


@implementer(IStreamServerEndpoint)
class SSL4ServerEndpoint:
    """A TCP port over IPv4 whose connections are secured by TLS."""

    def __init__(self, reactor: Any, port: int, sslContextFactory: Any, backlog: int = 50, interface: str = "") -> None:
        """Describe a port.

        :param reactor: provides ``IReactorSSL``.
        :param port: the port's number; 0 lets the system choose.
        :param sslContextFactory: the certificate to show and what else matters, such as a
            :class:`torsion.internet.ssl.CertificateOptions`.
        :param backlog: how many connections the system may keep waiting to be accepted.
        :param interface: the numeric address to listen at; empty means all.
        """
        self._reactor = reactor
        self._port = port
        self._sslContextFactory = sslContextFactory
        self._backlog = backlog
        self._interface = interface

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._interface or '*'}:{self._port}>"

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen, and give each connection to a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with the port, or fails with
            :class:`torsion.internet.error.CannotListenError`.
        """
        return execute(self._listen, protocolFactory)

    def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        return self._reactor.listenSSL(  # type: ignore[no-any-return]  # any reactor of that interface
            self._port,
            factory,
            contextFactory=self._sslContextFactory,
            backlog=self._backlog,
            interface=self._interface,
        )


@implementer(IStreamClientEndpoint)
class SSL4ClientEndpoint:
    """A TCP port over IPv4 to connect to by TLS.

    Whom to trust is the context factory's business.  A ``tls:`` endpoint, or :func:`wrapClientTLS` with
    :func:`torsion.internet.ssl.optionsForClientTLS`, checks the host's name, and tries all its addresses.
    """

    def __init__(
        self,
        reactor: Any,
        host: str,
        port: int,
        sslContextFactory: Any,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> None:
        """Describe a port to connect to.

        :param reactor: provides ``IReactorSSL``.
        :param host: the host's name, or its numeric address.
        :param port: the port's number.
        :param sslContextFactory: whom to trust and what else matters, such as what
            :func:`torsion.internet.ssl.optionsForClientTLS` returns.
        :param timeout: after how many seconds to give up.
        :param bindAddress: this end's address and port, if they matter.
        """
        self._reactor = reactor
        self._host = host
        self._port = port
        self._sslContextFactory = sslContextFactory
        self._timeout = timeout
        self._bindAddress = bindAddress

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._host}:{self._port}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """Connect, for a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with the protocol once its connection is made, which is before it is secure.  It
            fails with a :class:`torsion.internet.error.ConnectError`, or with what the factory raised.
        """
        return connect_with(
            lambda factory: self._reactor.connectSSL(
                self._host,
                self._port,
                factory,
                self._sslContextFactory,
                timeout=self._timeout,
                bindAddress=self._bindAddress,
            ),
            protocolFactory,
        )
