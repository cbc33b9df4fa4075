"""``IReactorUNIXDatagram`` over an engine's datagram sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import classImplements

from torsion.internet.interfaces import IReactorUNIXDatagram
from torsion.internet.reactors.overengine import OverEngine

if TYPE_CHECKING:
    import os

    from torsion.internet.transports.unixdatagram import ConnectedUNIXDatagramPort, UNIXDatagramPort

__all__ = ["ProvidesUNIXDatagram"]


class ProvidesUNIXDatagram(OverEngine):
    """Datagrams over Unix sockets."""

    def listenUNIXDatagram(
        self,
        address: str | bytes | os.PathLike[str],
        protocol: Any,
        maxPacketSize: int = 8192,
        mode: int = 0o666,
    ) -> UNIXDatagramPort:
        """Receive datagrams on a Unix socket, and send them.

        :param address: the path at which to make it; one that begins with NUL is a name in Linux's abstract namespace.
        :param protocol: a ``DatagramProtocol``, whose ``transport`` the port becomes; ``datagramReceived`` is given the
            sender's path, bytes for an abstract name, and None for a socket without a path.
        :param maxPacketSize: how much of a datagram is delivered at most, in bytes; the rest of a longer one is cut off.
        :param mode: the permissions to give to the file.
        :returns: the port, listening.
        :raises torsion.internet.error.CannotListenError: if the path is taken, too long or not to be used.
        """
        from torsion.internet.transports.unixdatagram import UNIXDatagramPort  # most programs have none

        listening = UNIXDatagramPort(address, protocol, maxPacketSize, mode, self)
        listening.startListening()
        return listening

    def connectUNIXDatagram(
        self,
        address: str | bytes | os.PathLike[str],
        protocol: Any,
        maxPacketSize: int = 8192,
        mode: int = 0o666,
        bindAddress: str | bytes | os.PathLike[str] | None = None,
    ) -> ConnectedUNIXDatagramPort:
        """Exchange datagrams with one peer.

        :param address: the path of the peer's socket, or its abstract name.
        :param protocol: a ``ConnectedDatagramProtocol``, whose ``transport`` the port becomes; if the peer is not there,
            its ``connectionFailed`` is called instead.
        :param maxPacketSize: how much of a datagram is delivered at most, in bytes; the rest of a longer one is cut off.
        :param mode: the permissions of the file at *bindAddress*.
        :param bindAddress: the path of this end; without one, the peer can receive but has nowhere to send answers to.
        :returns: the port.
        :raises torsion.internet.error.CannotListenError: if *bindAddress* is taken, too long or not to be used.
        """
        from torsion.internet.transports.unixdatagram import ConnectedUNIXDatagramPort

        connected = ConnectedUNIXDatagramPort(address, protocol, maxPacketSize, mode, bindAddress, self)
        connected.startListening()
        return connected


classImplements(ProvidesUNIXDatagram, IReactorUNIXDatagram)
