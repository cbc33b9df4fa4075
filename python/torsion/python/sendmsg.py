"""Messages with ancillary data, open files for example, over sockets; a little around :meth:`socket.socket.sendmsg`."""

from __future__ import annotations

import socket as _socket
from collections.abc import Iterable
from socket import socket
from typing import NamedTuple

__all__ = ["SCM_RIGHTS", "ReceivedMessage", "getSocketFamily", "recvmsg", "sendmsg"]


SCM_RIGHTS: int = getattr(_socket, "SCM_RIGHTS", 1)
"""The type of ancillary data that are open files; a system without them has it, too, to be imported."""


class ReceivedMessage(NamedTuple):
    """What was received.

    :ivar data: the bytes.
    :ivar ancillary: what came along: of each its level, its type and its bytes.
    :ivar flags: as ``recvmsg(2)`` has it; ``MSG_CTRUNC`` if not all that came along had room.
    """

    data: bytes
    ancillary: list[tuple[int, int, bytes]]
    flags: int


def sendmsg(socket: socket, data: bytes, ancillary: Iterable[tuple[int, int, bytes]] = (), flags: int = 0) -> int:
    """Send *data*, and return how many bytes of it were sent.

    :param ancillary: what is to go along: of each its level, its type and its bytes.
    :param flags: as ``sendmsg(2)`` has it.
    :raise OSError: if it cannot be sent.
    """
    return socket.sendmsg([data], ancillary, flags)


def recvmsg(socket: socket, maxSize: int = 8192, cmsgSize: int = 4096, flags: int = 0) -> ReceivedMessage:
    """Receive a message.

    :param maxSize: how many bytes are taken at most.
    :param cmsgSize: how many bytes of ancillary data are taken at most.
    :param flags: as ``recvmsg(2)`` has it.
    :raise OSError: if nothing can be received.
    """
    data, ancillary, received, _ = socket.recvmsg(maxSize, _socket.CMSG_SPACE(cmsgSize), flags)
    return ReceivedMessage(data, ancillary, received)


def getSocketFamily(socket: socket) -> int:
    """Return the family of *socket*'s addresses."""
    return socket.family
