"""Which of several sockets on one TCP port the kernel gives a new connection to.

With ``SO_REUSEPORT`` Linux spreads connections over all the sockets that listen on a port, whether or not anybody serves
them: those that fall to a worker that is being started again wait until it is back.  A small program for the kernel's packet
filter (classic BPF, ``SO_ATTACH_REUSEPORT_CBPF`` in socket(7), since Linux 4.5) does the choosing instead: among those that
are served, each with the same chance.  It takes no privileges.  Only which socket gets the first packet is chosen so; the
rest of a connection stays with it.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

__all__ = ["MOST", "program", "steer"]

_SO_ATTACH_REUSEPORT_CBPF = 51  # asm-generic/socket.h; Python's socket module does not name it
_RANDOM = 0xFFFFF000 + 56  # SKF_AD_OFF + SKF_AD_RANDOM of linux/filter.h: 32 bits of the kernel's random numbers
_LOAD, _MODULO, _JUMP_EQUAL, _RETURN = 0x20, 0x94, 0x15, 0x06  # BPF_LD|W|ABS, ALU|MOD|K, JMP|JEQ|K, RET|K

MOST = 2000
"""How many sockets can be chosen among: a program has 4096 instructions at most (BPF_MAXINSNS), and each socket takes two."""


def program(served: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Return the instructions that choose among the sockets of these numbers, each with the same chance.

    :param served: at least one and at most :data:`MOST`; the numbers count the port's sockets in the order in which they
        began to listen, from 0.
    :returns: for each instruction its code, by how many to jump if true and if false, and its operand.
    :raises ValueError: for none, or too many.
    """
    if not 0 < len(served) <= MOST:
        raise ValueError(f"connections go to 1 socket at least and {MOST} at most, not to {len(served)}")
    made = [(_LOAD, 0, 0, _RANDOM), (_MODULO, 0, 0, len(served))]
    for chance, number in enumerate(served[:-1]):
        made += [(_JUMP_EQUAL, 0, 1, chance), (_RETURN, 0, 0, number)]
    made.append((_RETURN, 0, 0, served[-1]))
    return made


def steer(sock: socket.socket, served: Sequence[int]) -> bool:
    """Have the kernel choose among the sockets of these numbers from now on.

    :param sock: any of the sockets that share the port.
    :param served: as for :func:`program`.
    :returns: whether the kernel does so.  Where it cannot, it goes on as before.
    """
    if not sys.platform.startswith("linux"):
        return False
    packed = b"".join(struct.pack("=HBBI", *each) for each in program(served))
    instructions = ctypes.create_string_buffer(packed, len(packed))
    try:
        sock.setsockopt(
            _socket_level(),
            _SO_ATTACH_REUSEPORT_CBPF,
            struct.pack("@HP", len(packed) // 8, ctypes.addressof(instructions)),
        )
    except OSError:
        return False
    return True


def _socket_level() -> int:
    import socket

    return socket.SOL_SOCKET
