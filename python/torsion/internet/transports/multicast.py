"""A UDP port that can join multicast groups."""

from __future__ import annotations

from errno import EADDRINUSE
from typing import TYPE_CHECKING, Any, cast

from zope.interface import implementer

from torsion.internet.interfaces import IMulticastTransport
from torsion.internet.transports.datagram import UDPPort
from torsion.internet.transports.datagramowner import MAX_PACKET_SIZE
from torsion.internet.transports.numeric import isIPAddress, isIPv6Address

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion._native import Datagram
    from torsion._native._core import SocketAddress
    from torsion.internet.defer import Deferred
    from torsion.internet.transports.owner import Home

__all__ = ["MulticastPort"]


@implementer(IMulticastTransport)
class MulticastPort(UDPPort):
    """A UDP port (``IMulticastTransport``) that can join multicast groups of its interface's family.

    ``reactor.listenMulticast`` makes it, and it is the ``transport`` of its protocol::

        class Ping(DatagramProtocol):
            def startProtocol(self) -> None:
                self.transport.setTTL(5)
                self.transport.joinGroup("228.0.0.5")

        reactor.listenMulticast(9999, Ping(), listenMultiple=True)
    """

    def __init__(
        self,
        port: int,
        proto: Any,
        interface: str = "",
        maxPacketSize: int = MAX_PACKET_SIZE,
        reactor: Home | None = None,
        listenMultiple: bool = False,
    ) -> None:
        """Make a port that does not listen yet; raises as :class:`UDPPort`."""
        super().__init__(port, proto, interface, maxPacketSize, reactor)
        self.listenMultiple = listenMultiple

    def _open(self, address: SocketAddress) -> Datagram:
        if not self.listenMultiple:  # else it is shared anyway
            return super()._open(address)
        return self.reactor.engine.bind_datagram(address, True, self.maxPacketSize, self)

    # --- groups ------------------------------------------------------------------------------------------------------

    def joinGroup(self, addr: str, interface: str | int = "") -> Deferred[None]:
        """Receive what is sent to a multicast group (RFC 1112, RFC 2710).

        :param addr: the group's address, or a name for it, which is looked up.
        :param interface: where to receive; empty lets the system choose. For IPv4 the address of the interface, or a name
            for that; for IPv6 the interface's number or name, or one of its addresses.
        :returns: a Deferred that fires with None; or fails with :class:`torsion.internet.error.MulticastJoinError` if the
            group cannot be joined, with :class:`torsion.internet.error.DNSLookupError` for a name without an address, or
            with :class:`TypeError` for an argument of a wrong type.
        """
        return self._change_group("join", addr, interface)

    def leaveGroup(self, addr: str, interface: str | int = "") -> Deferred[None]:
        """Receive no longer what is sent to a multicast group.

        :param addr: as it was given to :meth:`joinGroup`.
        :param interface: as it was given there.
        :returns: a Deferred that fires or fails as that of :meth:`joinGroup`.
        """
        return self._change_group("leave", addr, interface)

    def _change_group(self, verb: str, addr: str, interface: str | int) -> Deferred[None]:
        def change(found: tuple[str, str | int]) -> None:
            try:
                getattr(self._listening(), verb)(*found)
            except (OSError, ValueError, TypeError, OverflowError) as error:
                if self.adopted and verb == "join" and getattr(error, "errno", None) == EADDRINUSE:
                    return  # the process that the socket comes from has joined
                raise self.dialect.error.MulticastJoinError(addr, interface, *error.args) from error

        def then(group: str) -> Deferred[tuple[str, str | int]]:
            return self._interface(interface).addCallback(lambda where: (group, where))

        group: Deferred[str] = self.dialect.maybeDeferred(self._numeric, addr, "addr")
        return group.addCallback(then).addCallback(change)

    def _is_v6(self) -> bool:
        return ":" in self.interface

    def _numeric(self, host: str, argument: str) -> str | Deferred[str]:
        """Look up *host*, the program's *argument*, unless it is numeric."""
        if not isinstance(host, str):
            raise TypeError(f"{argument} is a str, a numeric address or a name, not {host!r}")
        return host if isIPAddress(host) or isIPv6Address(host) else self.reactor.resolve(host)

    def _interface(self, interface: str | int) -> Deferred[str | int]:
        """Find out how the system names *interface*: by its address for IPv4, by its number for IPv6."""
        found: Deferred[str | int] = self.dialect.maybeDeferred(self._find_interface, interface)
        return found

    def _find_interface(self, interface: str | int) -> str | int | Deferred[str]:
        if not isinstance(interface, str | int) or isinstance(interface, bool):
            raise TypeError(f"interface is a str, or an int for the number of one for IPv6, not {interface!r}")
        if not self._is_v6():
            if isinstance(interface, int):
                problem = "an IPv4 interface is named by its address"
                raise self.dialect.error.MulticastJoinError(interface, problem)
            return self._numeric(interface or "0.0.0.0", "interface")  # noqa: S104 - the system's choice
        try:
            return _interface_number(interface)
        except (OSError, ValueError) as error:
            raise self.dialect.error.MulticastJoinError(interface, str(error)) from error

    # --- sending -----------------------------------------------------------------------------------------------------

    def getOutgoingInterface(self) -> str | int:
        """Return by which interface multicast datagrams leave: its address for IPv4, where ``0.0.0.0`` is the system's
        choice, its number for IPv6, where 0 is.

        :raises OSError: if the port does not listen.
        """
        return self._listening().multicast_interface()

    def setOutgoingInterface(self, addr: str | int) -> Deferred[str | int]:
        """Choose by which interface multicast datagrams leave.

        :param addr: as the *interface* of :meth:`joinGroup`.
        :returns: a Deferred that fires with what :meth:`getOutgoingInterface` returns then, or fails with the system's
            :class:`OSError`, or as that of :meth:`joinGroup`.
        """

        def choose(interface: str | int) -> str | int:
            listening = self._listening()
            listening.set_multicast_interface(interface)
            return listening.multicast_interface()

        return self._interface(addr).addCallback(cast("Callable[[str | int], str | int]", choose))

    def getLoopbackMode(self) -> bool:
        """Return whether multicast datagrams that are sent here are received here as well, as they are at the start.

        :raises OSError: if the port does not listen.
        """
        return self._listening().multicast_loop()

    def setLoopbackMode(self, mode: bool) -> None:
        """Have multicast datagrams that are sent here be received here as well, or not.

        :raises OSError: if the port does not listen.
        """
        self._listening().set_multicast_loop(bool(mode))

    def getTTL(self) -> int:
        """Return how many routers a multicast datagram may pass, for IPv6 how many hops; 1 at the start, which is not
        beyond the local network.

        :raises OSError: if the port does not listen.
        """
        return self._listening().multicast_ttl()

    def setTTL(self, ttl: int) -> None:
        """Say how many routers a multicast datagram may pass.

        :param ttl: 0 to 255.
        :raises ValueError: if it is not.
        :raises TypeError: if it is no int.
        :raises OSError: if the port does not listen.
        """
        if not isinstance(ttl, int):
            raise TypeError(f"a time to live is an int from 0 to 255, not {ttl!r}")
        if not 0 <= ttl <= 255:
            raise ValueError(f"a time to live is a number from 0 to 255, not {ttl!r}")
        self._listening().set_multicast_ttl(ttl)


def _interface_number(interface: str | int) -> int:
    """Return the number of a network interface, 0 for the system's choice.

    :raises OSError: if there is none of this name or address.
    """
    if isinstance(interface, int):
        return interface
    if interface in ("", "::"):
        return 0
    if interface.isdecimal():
        return int(interface)
    from socket import if_nametoindex

    address, _, scope = interface.partition("%")
    if not isIPv6Address(address):
        if isIPAddress(address):
            raise ValueError(f"{address} is an IPv4 address, and the port is one of IPv6")
        return if_nametoindex(interface)
    if scope:
        return int(scope) if scope.isdecimal() else if_nametoindex(scope)
    return _owner_of(address)


def _owner_of(address: str) -> int:
    """Return the number of the interface that has an IPv6 address.

    :raises OSError: if none has it.
    """
    from errno import EADDRNOTAVAIL
    from pathlib import Path
    from socket import AF_INET6, inet_pton

    wanted = inet_pton(AF_INET6, address).hex()
    table = Path("/proc/net/if_inet6")  # Linux; others have no table to read, and the interface's name does there
    if table.exists():
        for line in table.read_text(encoding="ascii").splitlines():
            found, number, *_ = line.split()
            if found == wanted:
                return int(number, 16)
    raise OSError(EADDRNOTAVAIL, f"no interface is known to have the address {address}; name it by its number or name")
