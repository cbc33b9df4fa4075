"""Messages of the parts in which they come, and no larger than they may be."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torsion.web.websocket.settings import Settings

__all__ = ["Assembly", "TooMuchError"]


class TooMuchError(Exception):
    """A message is larger than it may be.

    :ivar code: the status code that says so.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Assembly:
    """The message of one peer that is not whole as yet."""

    def __init__(self, settings: Settings) -> None:
        """Begin, with the limits that *settings* have."""
        self._most = settings.maxMessageSize
        self._most_frames = settings.maxFrames
        self.clear()

    def clear(self) -> None:
        """Forget what has come."""
        self._size = self._frames = 0
        self._bytes = bytearray()
        self._text = StringIO()

    def add(self, event: Any) -> str | bytes | None:
        """Take a part of a message, an event of the codec's.

        :returns: the message, if it is whole now.
        :raises TooMuchError: if it has too many bytes, or frames.
        """
        data = event.data
        is_text = isinstance(data, str)
        self._size += len(data) if not is_text or data.isascii() else len(data.encode())
        if self._most is not None and self._size > self._most:
            raise TooMuchError(1009, f"a message has more than {self._most} bytes")
        if event.frame_finished:
            self._frames += 1
            if self._most_frames is not None and self._frames > self._most_frames:
                raise TooMuchError(1008, f"a message has more than {self._most_frames} frames")
        if event.message_finished and self._size == len(data):  # all of it came at once, as most do
            self._size = self._frames = 0
            return data if is_text else bytes(data)
        if is_text:
            self._text.write(data)
        else:
            self._bytes += data
        if not event.message_finished:
            return None
        whole = self._text.getvalue() if is_text else bytes(self._bytes)
        self.clear()
        return whole
