"""A computer on a network in memory: its addresses, and who has bound what."""

from __future__ import annotations

import errno
import weakref
from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.memory.sockets import ListeningSocket, system_error

if TYPE_CHECKING:
    from torsion.internet.reactors.memory.engine import MemoryEngine
    from torsion.internet.reactors.memory.sockets import Address

__all__ = [
    "FIRST_FREE_PORT",
    "LAST_PORT",
    "LONGEST_NAME",
    "NAMES",
    "WILDCARDS",
    "Machine",
    "as_told",
    "canonical",
    "check_name",
    "is_group",
    "is_loopback",
    "name_address",
]

FIRST_FREE_PORT = 49152
"""Where the ports begin that are given to who asks for none in particular (RFC 6335, section 6)."""

LAST_PORT = 65535

NAMES = "this computer"
"""What stands in the place of a host in the addresses of Unix sockets; :meth:`Network.between` takes it, too."""

LONGEST_NAME = 107
"""How many bytes the path of a Unix socket may have: what Linux has room for."""

WILDCARDS = frozenset(("0.0.0.0", "::"))  # noqa: S104 - nothing is bound


def canonical(address: Address) -> Address:
    """Return *address* with its host in the one form that it is compared by."""
    if len(address) == 4:
        from socket import AF_INET6, inet_ntop, inet_pton

        return (inet_ntop(AF_INET6, inet_pton(AF_INET6, address[0])), *address[1:])
    return address


def is_loopback(host: str) -> bool:
    """Tell whether *host* is an address by which a computer talks to itself."""
    return host.startswith("127.") or host == "::1"


def is_group(host: str) -> bool:
    """Tell whether *host*, a numeric address, is that of a multicast group (RFC 5771, RFC 4291 section 2.7)."""
    if ":" in host:
        return host.lower().startswith("ff")
    return 224 <= int(host.partition(".")[0]) <= 239


def name_address(path: bytes) -> Address:
    """Return the path of a Unix socket in the form of the other addresses: whose it is, and what it is called there."""
    return NAMES, path


def as_told(address: Address) -> Any:
    """Return *address* as the engine's users know it: the path alone, where it is that of a Unix socket."""
    return address[1] if address[0] == NAMES else address


def check_name(path: bytes) -> None:
    """Refuse what no system would take for the path of a Unix socket.

    :raises OSError: if it is too long, empty, or has a NUL elsewhere than in front.
    """
    abstract = path[:1] == b"\0"
    if len(path) > LONGEST_NAME + abstract:
        raise system_error(errno.ENAMETOOLONG)
    if not path or (b"\0" in path and not abstract):
        raise system_error(errno.EINVAL)


class Machine:
    """A computer: reactors on the same one are like processes of it.

    :ivar addresses: the addresses that others know it by; it has the loopback addresses besides.
    :ivar engines: its processes, so to speak.
    :ivar skew: how many nanoseconds its clock is ahead of the network's.
    :ivar down: whether it has no power.
    :ivar pace: how many bytes of each stream it reads a second at most, or None.
    """

    def __init__(self, *addresses: str) -> None:
        """Make a computer with these numeric addresses."""
        self.addresses = [canonical((each, 0, 0, 0))[0] if ":" in each else each for each in addresses]
        self.engines: weakref.WeakSet[MemoryEngine] = weakref.WeakSet()
        self.skew = 0
        self.down = False
        self.pace: float | None = None
        self._bound: dict[tuple[str, int | None, Any], list[Any]] = {}
        self._shared: set[tuple[str, int | None, Any]] = set()
        self._next_port = FIRST_FREE_PORT

    def owns(self, host: str) -> bool:
        """Tell whether *host* is one of its addresses."""
        return is_loopback(host) or host in self.addresses

    def listen(self, address: Address, backlog: int) -> ListeningSocket:
        """Have a socket listen.

        :raises OSError: if the address is taken or not its own.
        """
        bound = self.bind("TCP", address)
        listening = ListeningSocket(self, bound, backlog)
        self.keep("TCP", bound, listening)
        return listening

    def bind(self, kind: str, address: Address, share: bool = False) -> Address:
        """Return *address* as it can be bound: with a port, if it has none.

        :param kind: ``TCP`` or ``UDP``; the ports of one kind are not those of the other.
        :param share: whether it may be bound already, by those who share it.
        :raises OSError: if it is taken or not its own, or no port is left.
        """
        address = canonical(address)
        host, port = address[0], address[1]
        if host not in WILDCARDS and not self.owns(host) and not (kind == "UDP" and is_group(host)):
            raise system_error(errno.EADDRNOTAVAIL)
        if not port:
            return (host, self.free_port(kind, address), *address[2:])
        if self._is_taken(kind, address, share):
            raise system_error(errno.EADDRINUSE)
        return address

    def keep(self, kind: str, address: Address, holder: Any, share: bool = False) -> None:
        """Have *holder* be found at *address*, with others if they *share* it."""
        key = _key(kind, address)
        self._bound.setdefault(key, []).append(holder)
        if share:
            self._shared.add(key)

    def free_port(self, kind: str, address: Address) -> int:
        """Return a port that is free at *address*; each time another one, as long as there are any.

        :raises OSError: if there is none.
        """
        for _ in range(FIRST_FREE_PORT, LAST_PORT + 1):
            port = self._next_port
            self._next_port = FIRST_FREE_PORT if port == LAST_PORT else port + 1
            if not self._is_taken(kind, (address[0], port, *address[2:])):
                return port
        raise system_error(errno.EADDRINUSE)

    def _is_taken(self, kind: str, address: Address, share: bool = False) -> bool:
        host, port = address[0], address[1]
        family = len(address)
        return any(
            held[0] == kind
            and held[1] == port
            and held[2][1] == family
            and (held[2][0] == host or host in WILDCARDS or held[2][0] in WILDCARDS)
            and not (share and held in self._shared)
            for held in self._bound
        )

    def find(self, kind: str, address: Address) -> Any:
        """Return who is to be found at *address*, or None; of those that share it, who came last."""
        wildcard = "0.0.0.0" if len(address) == 2 else "::"  # noqa: S104 - nothing is bound
        for host in (address[0], wildcard):
            found = self._bound.get(_key(kind, (host, *address[1:])))
            if found:
                return found[-1]
        return None

    def unbind(self, holder: Any) -> None:
        """Forget *holder*."""
        for key, held in list(self._bound.items()):
            if holder in held:
                held.remove(holder)
                if not held:
                    del self._bound[key]
                    self._shared.discard(key)

    def listening(self) -> list[ListeningSocket]:
        """Return the sockets that listen."""
        return [each for held in self._bound.values() for each in held if isinstance(each, ListeningSocket)]

    def unbind_all(self) -> None:
        """Forget everybody."""
        self._bound.clear()
        self._shared.clear()

    def local_for(self, target: Address) -> str | None:
        """Return by which of its addresses it would speak to *target*, or None if by none."""
        host = target[0]
        if self.owns(host):
            return str(host)
        wanted = len(target) == 4
        return next((each for each in self.addresses if (":" in each) == wanted), None)


def _key(kind: str, address: Address) -> tuple[str, int | None, Any]:
    return kind, address[1], (address[0], len(address))
