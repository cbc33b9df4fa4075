"""Datagram sockets in memory, with the names of the native ones."""

from __future__ import annotations

import errno
from collections import deque
from typing import TYPE_CHECKING, Any

from torsion.internet.error import InvalidAddressError, MessageLengthError
from torsion.internet.reactors.memory.machine import WILDCARDS, is_group
from torsion.internet.reactors.memory.sockets import system_error
from torsion.internet.reactors.memory.stream import as_bytes
from torsion.internet.reactors.memory.turns import Entry
from torsion.internet.transports.numeric import isIPAddress, isIPv6Address

if TYPE_CHECKING:
    from torsion.internet.reactors.memory.engine import MemoryEngine
    from torsion.internet.reactors.memory.sockets import Address

__all__ = ["DATAGRAMS_PER_TURN", "QUEUE", "MemoryDatagram"]

DATAGRAMS_PER_TURN = 64
"""How many datagrams one socket delivers in one turn before others have theirs."""

QUEUE = 212_992
"""How many bytes of datagrams a socket keeps that nobody has read; what comes then is lost.  Linux's default."""


class MemoryDatagram(Entry):
    """A datagram socket.

    :ivar protocol: whose ``datagramReceived`` is called; looked at anew for each delivery.
    """

    def __init__(self, engine: MemoryEngine, bound: Address, room: int, owner: Any) -> None:
        self._engine = engine
        self._bound = bound
        self._room = room
        self._owner = owner
        self.protocol: Any = None
        self._peer: Address | None = None
        self._shown_peer: object = None
        self._queue: deque[tuple[bytes, Address]] = deque()
        self._queued_bytes = 0
        self._error = 0
        self._paused = self._closed = False
        self._broadcast = False
        self._loop = True
        self._ttl = 1
        self._interface: Any = 0 if self._is_v6 else "0.0.0.0"  # noqa: S104 - the system's choice
        self.groups: set[tuple[str, Any]] = set()
        self._figures = dict.fromkeys(
            ("datagrams_read", "bytes_read", "datagrams_written", "bytes_written", "datagrams_dropped"), 0
        )
        engine.add(self)

    @property
    def _is_v6(self) -> bool:
        return len(self._bound) == 4

    # --- sending -----------------------------------------------------------------------------------------------------

    def write(self, datagram: Any, addr: Any = None) -> None:
        """Send *datagram* to *addr*, or to the peer of a connected socket; ignored once it is closed.

        :raises torsion.internet.error.MessageLengthError: if it is too long.
        :raises torsion.internet.error.InvalidAddressError: if the address is not numeric, or of the other family.
        :raises ValueError: if there is no address, or another than the peer's.
        :raises TypeError: if *datagram* is no buffer of bytes, or *addr* no tuple.
        :raises OSError: what the system would say besides.
        """
        self._engine.enter()
        target = None if addr is None else self._read_address(addr)
        data = as_bytes(datagram)
        if self._peer is not None:
            if target is not None and target != self._peer:
                raise ValueError(
                    f"this socket is connected to {self._shown_peer!r}, and cannot send to {target[0]}:{target[1]}"
                )
            target = self._peer
        elif target is None:
            raise ValueError("where to? this socket is not connected, so a datagram needs an address")
        if not self._closed:
            self._send(data, target)

    def _send(self, data: bytes, target: Address) -> None:
        network, machine = self._engine.network, self._engine.machine
        if target[0] == "255.255.255.255" and not self._broadcast:
            raise system_error(errno.EACCES)
        local = machine.local_for(target) or self._own_host
        if local is None:
            raise system_error(errno.ENETUNREACH)
        if self._bound[0] not in WILDCARDS:
            local = self._bound[0]
        if len(data) > network.conditions_between(local, target[0]).largest:
            raise MessageLengthError(f"{len(data)} bytes, which one datagram cannot carry here")
        self._figures["datagrams_written"] += 1
        self._figures["bytes_written"] += len(data)
        source = (local, *self._bound[1:])
        network.post(machine, source, target, data, self)

    @property
    def _own_host(self) -> str | None:
        """From where a datagram to many goes."""
        host = self._bound[0]
        if host not in WILDCARDS:
            return str(host)
        addresses = [each for each in self._engine.machine.addresses if (":" in each) == self._is_v6]
        return addresses[0] if addresses else "::1" if self._is_v6 else "127.0.0.1"

    def connect(self, address: Any, /) -> None:
        """Exchange datagrams with *address* alone.  Raises as :meth:`write`."""
        self._engine.enter()
        self._peer, self._shown_peer = self._read_address(address), address
        self._queue = deque(each for each in self._queue if each[1][:2] == self._peer[:2])

    def _read_address(self, address: Any) -> Address:
        """Read ``(host, port)``, and for IPv6 also what the system itself says, of four parts."""
        if not isinstance(address, tuple):
            raise TypeError(f"an address to send to is a tuple (host, port), not {address!r}")
        if len(address) != 2 and not (len(address) == 4 and self._is_v6):
            raise TypeError(f"an address to send to is (host, port), not {len(address)} values")
        host, port = address[0], address[1]
        if isinstance(host, bytes):
            host = host.decode("utf-8", "replace")
        if not isinstance(host, str) or not isinstance(port, int):
            raise TypeError(f"an address to send to is (host, port), a str and an int, not {address!r}")
        if not 0 <= port <= 65535:
            raise OverflowError(f"a port's number lies between 0 and 65535, unlike {port}")
        v4, v6 = isIPAddress(host), isIPv6Address(host)
        if v4 and self._is_v6:
            raise InvalidAddressError(host, "an IPv4 address, to which an IPv6 socket cannot send")
        if v6 and not self._is_v6:
            raise InvalidAddressError(host, "an IPv6 address, to which an IPv4 socket cannot send")
        if host == "<broadcast>" and not self._is_v6:
            host = "255.255.255.255"
        elif not v4 and not v6:
            raise InvalidAddressError(
                host, "not a numeric address; look names up first, for example with reactor.resolve(name)"
            )
        target: Address = (host.partition("%")[0], port, *((0, 0) if self._is_v6 else ()))
        return self._engine.network.route(self._engine.machine, target)[1]

    # --- receiving ---------------------------------------------------------------------------------------------------

    def touched(self) -> None:
        """Something has come in."""
        self._engine.touch(self)

    def accepts(self, target: Address, source: Address) -> bool:
        """Tell whether a datagram to many, sent to *target*, is for this socket."""
        if self._bound[1] != target[1] or len(self._bound) != len(target) or self._closed:
            return False
        return target[0] == "255.255.255.255" or any(group == target[0] for group, _ in self.groups)

    @property
    def hears_itself(self) -> bool:
        """Whether what is sent to a group here is received on this computer as well."""
        return self._loop

    def arrive(self, data: bytes, source: Address) -> None:
        """Take in a datagram from the network; it is lost if too much waits already, or it is not from the peer."""
        if self._closed or (self._peer is not None and source[:2] != self._peer[:2]):
            return
        if self._queued_bytes + len(data) > QUEUE:
            return
        self._queued_bytes += len(data)
        self._queue.append((data, source))
        self.touched()

    def refused(self) -> None:
        """Nobody receives where the last datagram went; only a connected socket is told."""
        if self._peer is not None and not self._closed:
            self._error = errno.ECONNREFUSED
            self.touched()

    def _tell_error(self) -> None:
        number, self._error = self._error, 0
        try:
            self._owner.failed(number)
        except BaseException as exception:  # noqa: BLE001 - the socket goes on
            self._engine.complain(self._owner, self.protocol, exception)

    def serve(self) -> None:
        """Deliver this turn's share."""
        for _ in range(DATAGRAMS_PER_TURN):
            if self._closed or self._paused:
                return
            if self._error:
                self._tell_error()
                continue
            if not self._queue:
                return
            data, source = self._queue.popleft()
            self._queued_bytes -= len(data)
            self._figures["datagrams_read"] += 1
            self._figures["bytes_read"] += min(len(data), self._room)
            if self.protocol is None:
                continue
            self.busy = True
            try:
                self.protocol.datagramReceived(data[: self._room], source[:2])
            except BaseException as exception:  # noqa: BLE001 - the socket goes on
                self._engine.complain(self._owner, self.protocol, exception)
            self.busy = False
        self._engine.enqueue(self)

    # --- questions and settings --------------------------------------------------------------------------------------

    def address(self) -> Address:
        """Return where it is bound."""
        return self._bound

    def fileno(self) -> int:
        """Return -1: there is no descriptor."""
        self._engine.enter()
        return -1

    def pause(self) -> None:
        """Deliver nothing for now; what comes is kept as far as there is room."""
        self._engine.enter()
        self._paused = True

    def resume(self) -> None:
        """Deliver again, beginning with what came meanwhile."""
        self._engine.enter()
        self._paused = False
        if self._queue or self._error:
            self._engine.enqueue(self)

    def close(self) -> None:
        """Close the socket; nobody hears any more of it."""
        self._engine.enter()
        self.dismiss()

    def dismiss(self) -> None:
        """Close the socket."""
        if not self._closed:
            self._closed = True
            self._queue.clear()
            self.groups.clear()
            self._engine.machine.unbind(self)
            self._engine.network.leave(self)
            self._engine.discard(self)

    def vanish(self) -> None:
        """Be gone without a word."""
        self._closed = True
        self._engine.network.leave(self)

    def statistics(self) -> dict[str, int]:
        """Return datagrams_read, bytes_read, datagrams_written, bytes_written and datagrams_dropped."""
        self._engine.enter()
        return dict(self._figures)

    def broadcast(self) -> bool:
        """Return whether broadcasting is allowed."""
        return self._broadcast

    def set_broadcast(self, allowed: bool, /) -> None:
        """Allow broadcasting, or forbid it."""
        self._open()
        self._broadcast = bool(allowed)

    def _open(self) -> None:
        self._engine.enter()
        if self._closed:
            raise OSError(errno.EBADF, "the datagram socket is closed")

    # --- groups ------------------------------------------------------------------------------------------------------

    def _group(self, group: str, interface: Any) -> tuple[str, Any]:
        self._open()
        numeric = isIPv6Address(group) if self._is_v6 else isIPAddress(group)
        if not numeric:
            raise InvalidAddressError(group, f"not a numeric IPv{6 if self._is_v6 else 4} address")
        if not is_group(group):
            raise system_error(errno.EINVAL)
        return self._engine.network.route(self._engine.machine, (group, 0, *self._bound[2:]))[1][0], interface

    def join(self, group: str, interface: Any, /) -> None:
        """Receive what is sent to *group*.  Raises :class:`OSError`."""
        joined = self._group(group, interface)
        if joined in self.groups:
            raise system_error(errno.EADDRINUSE)
        self.groups.add(joined)

    def leave(self, group: str, interface: Any, /) -> None:
        """Receive it no more.  Raises as :meth:`join`."""
        left = self._group(group, interface)
        if left not in self.groups:
            raise system_error(errno.EADDRNOTAVAIL)
        self.groups.remove(left)

    def multicast_interface(self) -> str | int:
        """Return by which interface multicast leaves."""
        self._open()
        return self._interface  # type: ignore[no-any-return]  # whatever was given

    def set_multicast_interface(self, interface: Any, /) -> None:
        """Say by which interface multicast leaves; it reaches the whole network in any case."""
        self._open()
        if not self._is_v6:
            if not isIPAddress(interface):
                raise InvalidAddressError(interface, "not a numeric IPv4 address")
            if interface not in WILDCARDS and not self._engine.machine.owns(interface):
                raise system_error(errno.EADDRNOTAVAIL)
        self._interface = interface

    def multicast_loop(self) -> bool:
        """Return whether multicast that is sent here is received here as well."""
        self._open()
        return self._loop

    def set_multicast_loop(self, enabled: bool, /) -> None:
        """Have multicast that is sent here be received here as well, or not."""
        self._open()
        self._loop = bool(enabled)

    def multicast_ttl(self) -> int:
        """Return how many routers multicast may pass; there are none here."""
        self._open()
        return self._ttl

    def set_multicast_ttl(self, ttl: int, /) -> None:
        """Say how many routers multicast may pass.

        :raises OverflowError: unless *ttl* is from 0 to 255.
        """
        self._open()
        if not 0 <= ttl <= 255:
            raise OverflowError(f"a TTL lies between 0 and 255, unlike {ttl}")
        self._ttl = ttl
