"""Sockets handed over by another process: how ports ask for them, and by what name they are known."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from torsion.internet.interfaces.handover import ListeningAddress

if TYPE_CHECKING:
    import socket

    from torsion.internet.transports.owner import Home

__all__ = ["address_of_socket", "inet_address", "listens", "take", "unix_address"]


def inet_address(kind: str, address: Any) -> ListeningAddress:
    """Return what is asked for by *address*, a numeric socket address of two parts for IPv4, of four for IPv6."""
    host, port = address[0], address[1]
    if len(address) == 4:
        import socket

        # One address has many spellings; what stands behind "%" is told by its number as well.
        host = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, host.partition("%")[0]))
        if address[3]:
            host = f"{host}%{address[3]}"
    return ListeningAddress(kind, host, port)


def unix_address(kind: str, path: bytes) -> ListeningAddress:
    """Return what is asked for by a path, or by a name in the abstract namespace."""
    return ListeningAddress(kind, os.fsdecode(path if path[:1] == b"\0" else os.path.abspath(path)))  # noqa: PTH100 - pathlib takes no bytes


def address_of_socket(found: socket.socket) -> ListeningAddress | None:
    """Return what a program must ask for to get a socket that is bound already.

    :returns: None for a socket that is of no kind that is asked for, or not bound.
    :raises OSError: if it is no socket.
    """
    import socket

    stream = {socket.SOCK_STREAM: True, socket.SOCK_DGRAM: False}.get(found.type)
    if stream is None:
        return None
    bound = found.getsockname()
    if found.family in (socket.AF_INET, socket.AF_INET6):
        return inet_address("TCP" if stream else "UDP", bound)
    if found.family == getattr(socket, "AF_UNIX", None) and bound:
        return unix_address("UNIX" if stream else "UNIXDatagram", os.fsencode(bound))
    return None


def take(reactor: Home, address: ListeningAddress, port: Any) -> socket.socket | None:
    """Return the socket for *port* to serve at *address*, the caller's to close; None if one is to be bound.

    :raises OSError: if nobody can listen there.
    """
    sockets = reactor.sockets
    if sockets is None:
        return None
    reactor.engine.wakeup_fileno()  # which refuses other threads, before anything is taken
    return sockets.take(address, port)


def listens(found: socket.socket) -> bool:
    """Tell whether a stream socket listens already, rather than being bound only."""
    import socket

    return bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
