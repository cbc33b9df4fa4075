"""What codecs share whose protocol is one message at the beginning of a stream, before another protocol takes over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from torsion.wire._base import NEED_DATA, PAUSED, Buffer, NoEvent, RemoteProtocolError

__all__ = ["PrefaceReader"]

Event = TypeVar("Event")


class PrefaceReader(ABC, Generic[Event]):
    """Takes one message off the beginning of a stream.

    :meth:`next_event` gives it, and from then on ``PAUSED``: what follows is not of this protocol.  :meth:`take_rest` gives
    that up.
    """

    __slots__ = ("_buffer", "_ended", "_error", "_read")

    _what: ClassVar[str]
    """What the message is called in errors."""
    _owed: ClassVar[bool]
    """Whether a stream must begin with one; if not, one may end without a byte."""

    def __init__(self) -> None:
        self._buffer = b""
        self._ended = False
        self._read = False
        self._error: RemoteProtocolError | None = None

    @property
    def buffered(self) -> int:
        """How many bytes are held."""
        return len(self._buffer)

    def receive_data(self, data: Buffer) -> None:
        """Take bytes from the peer."""
        self._buffer += data

    def receive_eof(self) -> None:
        """Learn that the peer sends no more."""
        self._ended = True

    def next_event(self) -> Event | NoEvent:
        """Return the message once it is there, before that ``NEED_DATA``, after that ``PAUSED``.

        :raises RemoteProtocolError: for bytes that are no such message, or end within it; from then on, always.
        :raises LimitExceeded: for a longer one than is allowed; from then on, always.
        """
        if self._error is not None:
            raise self._error
        if self._read:
            return PAUSED
        try:
            parsed = self._parse(self._buffer)
            if parsed is None and self._ended and (self._owed or self._buffer):
                raise RemoteProtocolError(f"the stream ended within its {self._what}: {self._buffer[:40]!r}")
        except RemoteProtocolError as error:
            self._error = error
            raise
        if parsed is None:
            return NEED_DATA
        event, size = parsed
        self._buffer = self._buffer[size:]
        self._read = True
        return event

    def take_rest(self) -> bytes:
        """Return what came after the message (or all, if there was none), and hold it no longer."""
        rest, self._buffer = self._buffer, b""
        return rest

    def data_to_send(self) -> bytes:
        """Return nothing: no answer is owed before its user decides."""
        return b""

    @abstractmethod
    def _parse(self, data: bytes) -> tuple[Event, int] | None:
        """Return the message that *data* begin with and how many bytes it has; None as long as it is not whole."""
