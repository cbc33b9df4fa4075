"""Who is at the other end of a Unix socket, as the system knows it, and connecting to one that is private."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from typing import NamedTuple

__all__ = ["CONNECT_SECONDS", "Credentials", "LocalConnectError", "connectLocally", "peerCredentials"]

CONNECT_SECONDS = 5.0
"""How long a client waits, in seconds, for a server whose queue of connections is full."""


class Credentials(NamedTuple):
    """Who made or accepted a connection over a Unix socket, at the time when it did so.

    :ivar uid: the effective user's number.
    :ivar pid: the process's number; None where the system does not tell it.
    """

    uid: int
    pid: int | None


class LocalConnectError(Exception):
    """A private socket cannot be reached, or is not served by whom it should be.

    :ivar path: the socket's path.
    :ivar why: what is the matter, and what to do about it.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"cannot connect to {self.path}: {self.why}"


def peerCredentials(descriptor: int) -> Credentials:
    """Return who is at the other end of a connected Unix socket.

    The system notes it when the connection is made: by ``SO_PEERCRED`` on Linux (:manpage:`unix(7)`), by ``getpeereid`` elsewhere.

    :param descriptor: the socket's; it stays open.
    :raises OSError: if it is no connected Unix socket, or the system cannot tell (``ENOTSUP``).
    """
    if sys.platform.startswith("linux"):
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            if copy.family != socket.AF_UNIX:
                raise OSError(errno.ENOTSUP, f"descriptor {descriptor} is no Unix socket")
            pid, uid, _ = struct.unpack(
                "iII", copy.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
            )
        if uid == 2**32 - 1:  # what Linux says of a socket that has no peer
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return Credentials(uid, pid or None)  # 0 stands for a process of another namespace
    return _getpeereid(descriptor)


def _getpeereid(descriptor: int) -> Credentials:
    """Ask the C library of the BSDs and macOS, of which Python has no function for it."""
    import ctypes

    try:
        ask = ctypes.CDLL(None, use_errno=True).getpeereid
    except (AttributeError, OSError, TypeError):  # TypeError: Windows, where there is no library of no name
        raise OSError(errno.ENOTSUP, "this system does not tell who is at the other end of a socket") from None
    # uid_t and gid_t are unsigned ints on all systems that have the function.
    uid, gid = ctypes.c_uint(), ctypes.c_uint()
    if ask(descriptor, ctypes.byref(uid), ctypes.byref(gid)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return Credentials(uid.value, None)


def connectLocally(path: str | os.PathLike[str], timeout: float = CONNECT_SECONDS) -> socket.socket:
    """Connect to a private socket, and make sure that whoever serves it is to be trusted: ourselves or root.

    Root itself may connect to anybody's, if that user is also the file's owner: then it is no other user who has put
    a socket in its place. This blocks; it is for tools without a reactor.

    :param path: where the socket is.
    :param timeout: how long to wait, in seconds, for a server that does not accept; the socket returned has it, too.
    :returns: the connected socket, yours to close.
    :raises LocalConnectError: if there is none, nobody serves it, or somebody else does.
    """
    name = os.fspath(path)
    if not hasattr(socket, "AF_UNIX"):
        raise LocalConnectError(name, "there are no Unix sockets on this system")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            # A socket that does not block is refused at once where the queue is full, and so would be one with Python's timeout.
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", *_seconds_and_micros(timeout))
            )
            connection.connect(name)
            connection.settimeout(timeout)
            peer = peerCredentials(connection.fileno()).uid
            owner = os.stat(name).st_uid  # noqa: PTH116 - a text is what sockets take as well
        except (OSError, ValueError) as problem:  # ValueError: a NUL in it
            raise LocalConnectError(name, _explain(problem)) from problem
        ours = os.geteuid()
        if peer not in {0, ours} and not (ours == 0 and peer == owner):
            raise LocalConnectError(name, f"user {peer} serves it, who is neither you (user {ours}) nor root")
    except BaseException:
        connection.close()
        raise
    return connection


def _seconds_and_micros(seconds: float) -> tuple[int, int]:
    whole, part = divmod(seconds, 1)
    return int(whole), int(part * 1_000_000)


def _explain(problem: OSError | ValueError) -> str:
    if isinstance(problem, TimeoutError | BlockingIOError):
        return "its server does not accept connections; its process may hang"
    match getattr(problem, "errno", None):
        case errno.ENOENT:
            return "there is no such socket; is the process running, and was it told to make one?"
        case errno.ECONNREFUSED:
            return "nobody listens there any more; the process has ended, or it is no socket"
        case errno.EACCES | errno.EPERM:
            return "it is another user's; become that user, or root"
        case errno.EPROTOTYPE:
            return "the socket there is of another kind"
        case number:
            return os.strerror(number) if number else str(problem)
