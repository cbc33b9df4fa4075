"""Addresses and port numbers as the user wrote them, told apart and checked.

All of this is without a look-up but the last two, which say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "host_name",
    "isIPAddress",
    "isIPv6Address",
    "local_end",
    "patience",
    "port_number",
    "resolve_interface",
    "service_port",
]

_MOST = 65535


def isIPAddress(host: str) -> bool:
    """Tell whether *host* is an IPv4 address in dotted-quad form."""
    parts = host.split(".")
    return len(parts) == 4 and all(
        part.isascii() and part.isdecimal() and len(part) <= 3 and int(part) < 256 and (part == "0" or part[0] != "0")
        for part in parts
    )


def isIPv6Address(host: str) -> bool:
    """Tell whether *host* is an IPv6 address, with or without a scope such as ``%eth0``."""
    if ":" not in host:  # spares all names the import below
        return False
    from socket import AF_INET6, inet_pton

    address, percent, scope = host.partition("%")
    if percent and not scope:
        return False
    try:
        inet_pton(AF_INET6, address)
    except (OSError, ValueError):  # ValueError: a NUL in it
        return False
    return True


def port_number(port: object) -> int:
    """Return *port* if it can be a port's number.

    :raises TypeError: if it is not an integer.
    :raises OverflowError: if it is not between 0 and 65535.
    """
    if not isinstance(port, int) or isinstance(port, bool):  # True, which equals 1, is nobody's idea of a port
        raise TypeError(f"a port's number is an int, not {port!r}")
    if not 0 <= port <= _MOST:
        raise OverflowError(f"a port's number lies between 0 and {_MOST}, unlike {port}")
    return port


def host_name(host: object) -> str:
    """Return *host* if it can be the name or the address of a host.

    :raises TypeError: if it is not a str.
    """
    if not isinstance(host, str):
        remedy = "; decode it" if isinstance(host, bytes) else ""
        raise TypeError(f"a host is a str, its name or its numeric address, not {host!r}{remedy}")
    return host


def patience(timeout: Any) -> float | None:
    """Return *timeout* if it can be how many seconds to wait, or None.

    :raises TypeError: if it is not a number.
    :raises ValueError: if it is negative or not finite.
    """
    if timeout is None:
        return None
    try:
        usable = timeout >= 0 and float(timeout) < float("inf")
    except TypeError:
        raise TypeError(f"a timeout is a number of seconds, or None for no limit, not {timeout!r}") from None
    except OverflowError:  # an int that is more than any float
        usable = False
    if not usable:
        raise ValueError(f"a timeout is 0 seconds or more and finite, or None for no limit, unlike {timeout!r}")
    return timeout  # type: ignore[no-any-return]  # what was compared with numbers is one


def local_end(address: Any) -> tuple[str, int] | None:
    """Return *address* if it can be this end's host and port, or None.  Whether they are to be had shows later.

    :raises TypeError: if it is neither None nor a str and an int.
    """
    if address is None:
        return None
    try:
        host, port = address
    except (TypeError, ValueError):
        host = port = None
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or isinstance(address, str) or not isinstance(port, int) or isinstance(port, bool):
        raise TypeError(f"a local address is (host, port), a str and an int, with port 0 for any; not {address!r}")
    return host, port


def service_port(port: int | str) -> int:
    """Return the number of *port*, which may be the name of a TCP service that the system knows.

    :raises torsion.internet.error.ServiceNameUnknownError: for another name.
    """
    if not isinstance(port, str):
        return port
    from socket import getservbyname

    from torsion.internet.error import ServiceNameUnknownError

    try:
        return getservbyname(port, "tcp")
    except OSError as error:
        raise ServiceNameUnknownError(string=f"{port!r}: {error}") from None


def resolve_interface(interface: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """Return the socket address for *interface* and *port*: four parts for IPv6, two for IPv4.

    Only a name or a scoped address needs the system's help, and the caller waits for it: it names an address of this
    computer, which its own tables know.

    :raises OSError: if the name has no address here.
    :raises ValueError: if it cannot be a name.
    :raises TypeError: if it is not a str.
    """
    if not isinstance(interface, str):
        raise TypeError(f"an interface is a str, a numeric address or a name of this computer, not {interface!r}")
    if not interface:
        return "0.0.0.0", port  # noqa: S104 - empty means all addresses, as documented
    if isIPAddress(interface):
        return interface, port
    if "%" not in interface and isIPv6Address(interface):
        return interface, port, 0, 0
    if "\0" in interface:  # where the system's look-up would take it to end
        raise ValueError(f"{interface!r} can be no name of this computer: there is a NUL in it")
    from socket import AF_INET, AF_INET6, SOCK_STREAM, getaddrinfo

    family = AF_INET6 if ":" in interface else AF_INET
    address = getaddrinfo(interface, port, family, SOCK_STREAM)[0][4]
    if len(address) == 4:
        return address[0].partition("%")[0], address[1], address[2], address[3]
    return str(address[0]), int(address[1])
