"""``IReactorSSL``: ports and connections that are secure from their beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import classImplements

from torsion.internet.interfaces import IReactorSSL
from torsion.internet.reactors.overengine import OverEngine
from torsion.internet.transports.connector import Connector
from torsion.internet.transports.listener import Port
from torsion.internet.transports.secureports import TLSConnector, TLSPort

if TYPE_CHECKING:
    from torsion.internet.interfaces import IProtocolFactory

__all__ = ["ProvidesTLS"]


class ProvidesTLS(OverEngine):
    """TLS ports and connections: natively where the settings allow it, else by way of OpenSSL."""

    def listenSSL(
        self, port: int, factory: IProtocolFactory, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> Port:
        """Accept connections, speak TLS with them, and give each to a protocol that *factory* makes.

        :param port: the port's number, 0 to let the system choose.
        :param factory: asked for one protocol for each connection.
        :param contextFactory: the settings: ``CertificateOptions`` or ``PrivateCertificate.options()``, or what OpenSSL
            is to be used with: anything with ``getContext``, or a connection creator.
        :param backlog: how many connections the system may keep waiting to be accepted.
        :param interface: the numeric address to listen at; empty means all IPv4 addresses.
        :returns: the port, listening.
        :raises torsion.internet.error.CannotListenError: if the address is taken, is not ours or may not be used.
        :raises torsion.internet.tls.errors.UnsupportedOption: for an option that the native implementation lacks.
        :raises TypeError: if *contextFactory* is no settings at all; and whatever its ``getContext`` raises.
        """
        road = self.tls.road(contextFactory, False)
        if road is None:
            wrapped = self.tls.layer(contextFactory, False, factory, self)
            listening = Port(port, wrapped, backlog, interface, self)
            listening.kind = "TLS"
        else:
            listening = TLSPort(port, factory, road, backlog, interface, self)
        listening.startListening()
        return listening

    def connectSSL(
        self,
        host: str,
        port: int | str,
        factory: IProtocolFactory,
        contextFactory: Any,
        timeout: float = 30.0,
        bindAddress: tuple[str, int] | None = None,
    ) -> Connector:
        """Connect to a TLS port; the factory is told how it ends.

        The connection counts as made when TCP's stands: what goes wrong in the handshake ends a connection that was made.

        :param host: the host's name, or its numeric address.  Which name its certificate must have is said by
            *contextFactory*.
        :param port: the port's number, or the name of a service the system knows.
        :param factory: a client factory.
        :param contextFactory: the settings: what ``optionsForClientTLS`` returns; ``CertificateOptions``, which look
            at no names; or what OpenSSL is to be used with: anything with ``getContext``, or a connection creator.
        :param timeout: after how many seconds to give up; 0 or None means never.
        :param bindAddress: the address and port of this end, if it matters.
        :returns: the connector.
        :raises torsion.internet.tls.errors.UnsupportedOption: for an option that the native implementation lacks.
        :raises TypeError: if *contextFactory* is no settings at all; and whatever its ``getContext`` raises.
        """
        road = self.tls.road(contextFactory, True)
        connector: Connector
        if road is None:
            wrapped = self.tls.layer(contextFactory, True, factory, self)
            connector = Connector(host, port, wrapped, timeout, bindAddress, self)
        else:
            connector = TLSConnector(host, port, factory, road, timeout, bindAddress, self)
        connector.connect()
        return connector


classImplements(ProvidesTLS, IReactorSSL)
