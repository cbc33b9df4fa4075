"""Messages that wait for a program, which takes them when it wants to: not more of them than a bound."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from torsion.web.websocket.connection import Connection

__all__ = ["EACH", "KEPT", "Inbox"]

KEPT: Final = 64 * 1024
"""How many bytes of messages may wait before the peer is not read from: as much as is read at once."""

EACH: Final = 512
"""How many bytes a message counts beside its own: what small ones cost."""


class Inbox:
    """Messages of one WebSocket that have come and were not taken."""

    _kept = 0
    _held = False
    _closed = False

    def __init__(self, connection: Connection) -> None:
        """Keep messages of *connection*, which is paused while there are too many."""
        self._connection = connection
        self._messages: deque[tuple[Any, int]] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Any, size: int) -> None:
        """Keep a message; *size* is how many bytes it has."""
        if self._closed:
            return
        size += EACH
        self._messages.append((message, size))
        self._kept += size
        if self._kept > KEPT and not self._held:
            self._held = True
            self._connection.pauseProducing()

    def take(self) -> Any:
        """Return the first message.

        :raises IndexError: if there is none.
        """
        message, size = self._messages.popleft()
        self._kept -= size
        if self._kept <= KEPT // 2:
            self._let_read()
        return message

    def close(self) -> None:
        """Drop what is there and what comes: nobody takes it any more."""
        self._closed = True
        self._messages.clear()
        self._let_read()

    def _let_read(self) -> None:
        if self._held:
            self._held = False
            self._connection.resumeProducing()
