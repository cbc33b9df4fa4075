"""What every codec shares: its contract, the two signals that are not events, whom an error blames, common limits."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, Protocol, TypeAlias, TypeVar

__all__ = [
    "MAX_LINE",
    "MAX_STRING",
    "NEED_DATA",
    "PAUSED",
    "Buffer",
    "Codec",
    "LimitExceeded",
    "LocalProtocolError",
    "NoEvent",
    "ProtocolError",
    "RemoteProtocolError",
]

Buffer: TypeAlias = bytes | bytearray | memoryview
"""What a codec takes for bytes.  It copies what it keeps, so the caller may reuse the memory."""

MAX_LINE: Final = 16_384
"""Longest line, in bytes and without its delimiter.  Mail and news allow 1,000, HTTP servers 8,000 in practice: this is
above all of them, and small enough to be given to each of ten thousand connections."""

MAX_STRING: Final = 99_999
"""Longest counted string, in bytes: the five digits that netstring readers usually accept."""


class NoEvent(Enum):
    """Why :meth:`Codec.next_event` has no event to give."""

    NEED_DATA = "need data"
    """Nothing more can be said until more bytes come in."""
    PAUSED = "paused"
    """The codec waits for a decision of its user, and keeps what comes in until then."""

    def __repr__(self) -> str:
        return self.name


NEED_DATA: Final[Literal[NoEvent.NEED_DATA]] = NoEvent.NEED_DATA
PAUSED: Final[Literal[NoEvent.PAUSED]] = NoEvent.PAUSED

In_co = TypeVar("In_co", covariant=True)
Out_contra = TypeVar("Out_contra", contravariant=True)


class Codec(Protocol[In_co, Out_contra]):
    """Bytes to events and back.  It knows no clock, no socket and no log, so it can be tested as a function.

    *In* are the events that the peer's bytes mean, *Out* those that can be sent.  After a :class:`RemoteProtocolError`
    a codec is closed: it raises the same error from then on.
    """

    def receive_data(self, data: Buffer, /) -> None:
        """Take bytes from the peer.  Says nothing yet: ask :meth:`next_event`."""

    def receive_eof(self) -> None:
        """Learn that the peer sends no more."""

    def next_event(self) -> In_co | NoEvent:
        """Return the next event, or :data:`NEED_DATA`, or :data:`PAUSED`.

        Raises :class:`RemoteProtocolError` where the peer's bytes mean nothing, or more than a limit allows.
        """

    def send(self, event: Out_contra, /) -> bytes:
        """Return the bytes that stand for *event*.

        Raises :class:`LocalProtocolError` where it cannot be sent, or not now.
        """

    def data_to_send(self) -> bytes:
        """Return, once, what the protocol itself owes the peer (greetings, pongs, refusals); often nothing."""


class ProtocolError(Exception):
    """Something that the protocol does not allow; the subclass says who did it."""


class LocalProtocolError(ProtocolError):
    """This side asked for something that may not be sent; nothing was."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that may not be sent."""


class LimitExceeded(RemoteProtocolError):
    """The peer sent, or announced, more than was allowed.

    *what* names the thing ("line"), *size* is how long it is, or is known to be so far, and *limit* the most allowed.
    """

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(what, size, limit)
        self.what = what
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.what} of at least {self.size} bytes, and {self.limit} are allowed: raise the limit to accept it"


# They are offered by the package: that is where tracebacks and readers shall look for them.
for _offered in (Codec, LimitExceeded, LocalProtocolError, NoEvent, ProtocolError, RemoteProtocolError):
    _offered.__module__ = "torsion.wire"
