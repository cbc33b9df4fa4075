"""Reading and writing descriptors that may have nothing to read or no room."""

from __future__ import annotations

import os
from errno import EAGAIN, EINTR, EWOULDBLOCK
from typing import TYPE_CHECKING

from torsion.internet.main import CONNECTION_DONE, CONNECTION_LOST

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.error import ConnectionDone, ConnectionLost

__all__ = ["readFromFD", "setBlocking", "setNonBlocking", "writeToFD"]

_NOT_NOW = (EAGAIN, EWOULDBLOCK, EINTR)

READ_SIZE = 8192
"""How many bytes are read at once: what terminals and most pipes have at a time, and as much as Twisted's function reads."""


def setNonBlocking(fd: int) -> None:
    """Let reads and writes of a descriptor return at once, for all who share it."""
    os.set_blocking(fd, False)


def setBlocking(fd: int) -> None:
    """Let reads and writes of a descriptor wait, for all who share it."""
    os.set_blocking(fd, True)


def readFromFD(fd: int, callback: Callable[[bytes], object]) -> ConnectionDone | ConnectionLost | None:
    """Read from a descriptor once, at most 8192 bytes.

    :param fd: the descriptor, made non-blocking.
    :param callback: called with what was read, unless that is nothing.
    :returns: None, also if there was nothing to read; :data:`torsion.internet.main.CONNECTION_DONE` at the end;
        :data:`torsion.internet.main.CONNECTION_LOST` if reading failed.
    """
    try:
        data = os.read(fd, READ_SIZE)
    except OSError as problem:
        return None if problem.errno in _NOT_NOW else CONNECTION_LOST
    if not data:
        return CONNECTION_DONE
    callback(data)
    return None


def writeToFD(fd: int, data: bytes) -> int | ConnectionLost:
    """Write to a descriptor once.

    :param fd: the descriptor, made non-blocking.
    :param data: what to write.
    :returns: how many bytes were taken, 0 if there is no room; :data:`torsion.internet.main.CONNECTION_LOST` if writing
        failed.
    """
    try:
        return os.write(fd, data)
    except OSError as problem:
        return 0 if problem.errno in _NOT_NOW else CONNECTION_LOST
