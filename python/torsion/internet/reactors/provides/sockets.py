"""``IReactorSocket``: sockets that were made elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from zope.interface import classImplements

from torsion.internet.interfaces import IReactorSocket
from torsion.internet.reactors.overengine import OverEngine

if TYPE_CHECKING:
    from torsion.internet.interfaces import IListeningPort, IProtocolFactory

__all__ = ["ProvidesSockets"]


class ProvidesSockets(OverEngine):
    """Takes over sockets that listen, are connected, or receive datagrams.

    Each descriptor is duplicated: close yours.  The sockets are made non-blocking, for all who hold them.
    """

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: IProtocolFactory) -> IListeningPort:
        """Accept connections from a socket that listens already.

        When the port stops, the socket is closed here, and goes on for whoever else holds it; the file of a Unix socket stays.

        :param fileDescriptor: its descriptor.
        :param addressFamily: ``socket.AF_INET``, ``AF_INET6`` or ``AF_UNIX``.
        :param factory: asked for one protocol for each connection.
        :returns: the port, listening.
        :raises torsion.internet.error.UnsupportedAddressFamily: for any other family, or one that is not the socket's.
        :raises OSError: if the descriptor is not open, no socket, or one that does not listen for streams.
        """
        from torsion.internet.transports.adopted import adopt_port  # few programs need it

        return adopt_port(fileDescriptor, addressFamily, factory, self)

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: IProtocolFactory) -> Any:
        """Serve a socket that is connected already.  When it is closed here, the connection ends for whoever else holds it.

        :param fileDescriptor: its descriptor.
        :param addressFamily: ``socket.AF_INET``, ``AF_INET6`` or ``AF_UNIX``.
        :param factory: asked for the protocol; neither ``doStart`` nor ``doStop`` is called.
        :returns: the transport; None if the factory makes no protocol, and the socket is left as it is then.
        :raises torsion.internet.error.UnsupportedAddressFamily: for any other family, or one that is not the socket's.
        :raises OSError: if the descriptor is not open, no socket, or one that is not connected.
        """
        from torsion.internet.transports.adopted import adopt_connection

        return adopt_connection(fileDescriptor, addressFamily, factory, self)

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> IListeningPort:
        """Receive datagrams from a socket that is bound already.

        :param fileDescriptor: its descriptor.
        :param addressFamily: ``socket.AF_INET`` or ``AF_INET6``.
        :param protocol: the datagram protocol to serve.
        :param maxPacketSize: the longest datagram to receive, in bytes; what is longer is cut.
        :returns: the port, listening.
        :raises torsion.internet.error.UnsupportedAddressFamily: for any other family.
        :raises OSError: if the descriptor is not open, or no socket for datagrams.
        """
        from torsion.internet.transports.datagram import AdoptedUDPPort

        port = AdoptedUDPPort(fileDescriptor, addressFamily, protocol, maxPacketSize, self)
        port.adopt()
        return port


if sys.platform != "win32":
    classImplements(ProvidesSockets, IReactorSocket)
