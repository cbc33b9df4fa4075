"""Addresses and port numbers as the user wrote them, told apart and checked.

All of this is without a look-up but the last two, which say so.
"""

from __future__ import annotations

__all__ = ["isIPAddress", "isIPv6Address", "port_number", "resolve_interface", "service_port"]

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
    if not isinstance(port, int):
        raise TypeError(f"a port's number is an int, not {port!r}")
    if not 0 <= port <= _MOST:
        raise OverflowError(f"a port's number lies between 0 and {_MOST}, unlike {port}")
    return port


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
    """
    if not interface:
        return "0.0.0.0", port  # noqa: S104 - empty means all addresses, as documented
    if isIPAddress(interface):
        return interface, port
    if "%" not in interface and isIPv6Address(interface):
        return interface, port, 0, 0
    from socket import AF_INET, AF_INET6, SOCK_STREAM, getaddrinfo

    family = AF_INET6 if ":" in interface else AF_INET
    address = getaddrinfo(interface, port, family, SOCK_STREAM)[0][4]
    if len(address) == 4:
        return address[0].partition("%")[0], address[1], address[2], address[3]
    return str(address[0]), int(address[1])
