"""Datagrams over UDP, to one receiver or to many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from typing import Any

    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces.core import IAddress
    from torsion.internet.interfaces.stream import IListeningPort


class IUDPTransport(Interface):
    """A UDP socket, as a datagram protocol sees it."""

    def write(packet: bytes, addr: tuple[str, int] | None) -> None:
        """Send one datagram. It may get lost, and a full send buffer drops it.

        :param packet: the whole of it.
        :param addr: numeric address and port of the receiver; None (or left out) on a connected socket.
        :raises torsion.internet.error.MessageLengthError: if *packet* is longer than the system can send.
        :raises torsion.internet.error.InvalidAddressError: if *addr* is not numeric or of another family.
        """

    def connect(host: str, port: int) -> None:
        """Exchange datagrams with one peer only, from now on.

        :param host: its numeric address.
        :param port: its port's number.
        :raises RuntimeError: if the socket is connected already.
        :raises torsion.internet.error.InvalidAddressError: if *host* is not numeric.
        """

    def getHost() -> IAddress:
        """Return where this socket receives, an ``IPv4Address`` or ``IPv6Address``."""

    def stopListening() -> Deferred[None] | None:
        """Close the socket; the protocol's ``stopProtocol`` follows.

        :returns: a Deferred that fires with None once it is closed, or None if it is so already.
        """

    def setBroadcastAllowed(enabled: bool) -> None:
        """Allow sending to broadcast addresses, or forbid it, which is the start.

        :param enabled: true to allow it.
        """

    def getBroadcastAllowed() -> bool:
        """Return whether sending to broadcast addresses is allowed."""


class IMulticastTransport(IUDPTransport):
    """A UDP socket that can join multicast groups."""

    def getOutgoingInterface() -> str | int:
        """Return by which interface multicast datagrams leave: an IPv4 address, or an index for IPv6."""

    def setOutgoingInterface(addr: str | int) -> Deferred[Any]:
        """Choose by which interface multicast datagrams leave.

        :param addr: the interface's address (or a name to be looked up) for IPv4, its index for IPv6.
        :returns: a Deferred that fires once it is set, or fails with the system's error.
        """

    def getLoopbackMode() -> bool:
        """Return whether multicast datagrams sent here are received here as well."""

    def setLoopbackMode(mode: bool) -> None:
        """Have multicast datagrams that are sent here be received here as well, or not.

        :param mode: true to receive them.
        """

    def getTTL() -> int:
        """Return how many routers a multicast datagram may pass."""

    def setTTL(ttl: int) -> None:
        """Say how many routers a multicast datagram may pass.

        :param ttl: 0 to 255; 1 stays in the local network.
        """

    def joinGroup(addr: str, interface: str = "") -> Deferred[Any]:
        """Receive what is sent to a multicast group.

        :param addr: the group's address.
        :param interface: the address of the interface to receive on; empty lets the system choose.
        :returns: a Deferred that fires with None, or fails with :class:`torsion.internet.error.MulticastJoinError`.
        """

    def leaveGroup(addr: str, interface: str = "") -> Deferred[Any]:
        """Receive no longer what is sent to a multicast group.

        :param addr: the group's address.
        :param interface: as it was given to :meth:`joinGroup`.
        :returns: a Deferred that fires with None, or fails with :class:`torsion.internet.error.MulticastJoinError`.
        """


class IReactorUDP(Interface):
    """A reactor that speaks UDP."""

    def listenUDP(port: int, protocol: Any, interface: str, maxPacketSize: int) -> IListeningPort:
        """Receive datagrams.

        :param port: the port's number; 0 lets the system choose.
        :param protocol: a ``DatagramProtocol``; its transport is an :class:`IUDPTransport`.
        :param interface: the numeric address to receive at; reactors default to all IPv4 addresses (empty).
        :param maxPacketSize: the longest datagram to receive, in bytes; reactors default to 8192.
        :returns: the port, listening.
        :raises torsion.internet.error.CannotListenError: if the address is taken or may not be used.
        """


class IReactorMulticast(Interface):
    """A reactor that speaks UDP to groups."""

    def listenMulticast(
        port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192, listenMultiple: bool = False
    ) -> IListeningPort:
        """Receive datagrams on a socket that can join multicast groups.

        :param port: the port's number; 0 lets the system choose.
        :param protocol: a ``DatagramProtocol``; its transport is an :class:`IMulticastTransport`.
        :param interface: the numeric address to receive at; empty means all addresses.
        :param maxPacketSize: the longest datagram to receive, in bytes.
        :param listenMultiple: let other sockets of this computer use the same port.
        :returns: the port, listening.
        :raises torsion.internet.error.CannotListenError: if the address is taken or may not be used.
        """
