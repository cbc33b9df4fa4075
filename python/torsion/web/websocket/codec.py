"""Frames, through wsproto: bytes in, events out, and the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    from wsproto.connection import Connection, ConnectionState, ConnectionType
    from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
except ImportError as error:
    raise ImportError("WebSockets need wsproto: pip install torsion[websocket]", name="wsproto") from error

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BytesMessage", "CloseConnection", "Codec", "Ping", "Pong", "TextMessage"]

MOST_CONTROL = 125
"""Bytes in a ping or a pong (RFC 6455, 5.5); a close has two of them for its code."""


class Codec:
    """The frames of one end.

    :ivar step: how many bytes :meth:`receive` is to be given at once.
    """

    def __init__(self, client: bool, extension: Any = None) -> None:
        """Begin.

        :param client: which end this is.
        :param extension: what was agreed upon of permessage-deflate, or None.
        """
        kind = ConnectionType.CLIENT if client else ConnectionType.SERVER
        self._connection = Connection(kind, [] if extension is None else [extension])
        # A byte of deflated data makes 1,032 at most, and wsproto has no bound: so 4 MiB are the most that come at once.
        self.step = 64 * 1024 if extension is None else 4 * 1024

    def receive(self, data: bytes) -> Iterator[Any]:
        """Return the events of bytes from the peer; iterate to the end before there are more."""
        self._connection.receive_data(data)
        return self._connection.events()

    @property
    def closed_by_peer(self) -> bool:
        """Whether the peer's last word was said: a CloseConnection that comes without is wsproto's, for what cannot be read."""
        return self._connection.state in (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED)

    def text(self, text: str) -> bytes:
        """Return the frame of a message."""
        return self._connection.send(TextMessage(text))

    def message(self, data: bytes) -> bytes:
        """Return the frame of a message."""
        return self._connection.send(BytesMessage(data))

    def ping(self, payload: bytes) -> bytes:
        """Return a ping."""
        return self._connection.send(Ping(payload))

    def pong(self, payload: bytes) -> bytes:
        """Return a pong."""
        return self._connection.send(Pong(payload))

    def close(self, code: int, reason: str = "") -> bytes:
        """Return the last word: *reason* is cut where it is too long."""
        fitting = reason.encode()[: MOST_CONTROL - 2].decode("utf-8", "ignore")
        return self._connection.send(CloseConnection(code, fitting or None))

    def answer(self, event: Any) -> bytes:
        """Return the last word that answers the peer's."""
        return self._connection.send(event.response())
