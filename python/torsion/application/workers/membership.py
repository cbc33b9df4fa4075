"""What makes a process a worker: the environment variable by which the master tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BROKER", "CHANNEL", "VARIABLE", "Membership", "environment", "membership"]

VARIABLE = "TORSION_WORKER"
"""``<slot>:<channel>:<broker>``: the worker's place among the others, and two descriptors."""

CHANNEL, BROKER = 3, 4
"""Which descriptors of a worker lead to the master: for what they say to each other, and for sockets."""


class Membership(NamedTuple):
    """Which worker a process is.

    :ivar slot: its place, from 0; the one that replaces it has the same.
    :ivar channel: the descriptor of the channel.
    :ivar broker: the descriptor that sockets are asked for by.
    """

    slot: int
    channel: int
    broker: int

    def __str__(self) -> str:
        return f"{self.slot}:{self.channel}:{self.broker}"


def membership(value: str) -> Membership:
    """Read the variable.

    :raises ValueError: if it is none that a master has written.
    """
    parts = value.split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise ValueError(f"{VARIABLE} is {value!r}; it is set by the master of workers only: unset it")
    return Membership(*map(int, parts))


def environment(slot: int, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the worker in *slot*.

    :param inherited: that of the master.
    """
    return {**inherited, VARIABLE: str(Membership(slot, CHANNEL, BROKER))}
