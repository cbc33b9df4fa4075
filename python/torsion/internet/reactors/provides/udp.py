"""``IReactorUDP`` and ``IReactorMulticast`` over an engine's datagram sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import classImplements

from torsion.internet.interfaces import IReactorMulticast, IReactorUDP
from torsion.internet.reactors.overengine import OverEngine

if TYPE_CHECKING:
    from torsion.internet.transports.datagram import UDPPort
    from torsion.internet.transports.multicast import MulticastPort

__all__ = ["ProvidesUDP"]


class ProvidesUDP(OverEngine):
    """UDP ports, to one receiver or to many."""

    def listenUDP(self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> UDPPort:
        """Receive datagrams, and send them.

        :param port: the port's number, 0 to let the system choose.
        :param protocol: a ``DatagramProtocol``, whose ``transport`` the port becomes.
        :param interface: the numeric IPv4 or IPv6 address to receive at; empty means all IPv4 addresses, ``::`` all
            addresses.
        :param maxPacketSize: how much of a datagram is delivered at most, in bytes; the rest of a longer one is cut off.
        :returns: the port, listening.
        :raises torsion.internet.error.CannotListenError: if the address is taken, is not ours or may not be used.
        :raises torsion.internet.error.InvalidAddressError: if *interface* is not a numeric address.
        :raises TypeError: if *port* is no int or *interface* no str.
        """
        from torsion.internet.transports.datagram import UDPPort  # most programs have none

        listening = UDPPort(port, protocol, interface, maxPacketSize, self)
        listening.startListening()
        return listening

    def listenMulticast(
        self,
        port: int,
        protocol: Any,
        interface: str = "",
        maxPacketSize: int = 8192,
        listenMultiple: bool = False,
    ) -> MulticastPort:
        """Receive datagrams on a port that can join multicast groups, and send them.

        :param listenMultiple: let other sockets of this computer that ask for it as well use the same port; each receives
            what is sent to the groups that it has joined.
        :param port: as the others, see :meth:`listenUDP`. Which groups can be joined goes by the family of *interface*.
        :returns: the port, listening.
        :raises torsion.internet.error.CannotListenError, torsion.internet.error.InvalidAddressError, TypeError: as
            :meth:`listenUDP`.
        """
        from torsion.internet.transports.multicast import MulticastPort

        listening = MulticastPort(port, protocol, interface, maxPacketSize, self, listenMultiple)
        listening.startListening()
        return listening


classImplements(ProvidesUDP, IReactorUDP, IReactorMulticast)
