"""What programs implement, and what they are given.  These are shapes: no class need be derived from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from torsion.internet.interfaces import IPushProducer
    from torsion.python.failure import Failure

__all__ = ["WebSocketClientFactory", "WebSocketProtocol", "WebSocketServerFactory", "WebSocketTransport"]

_Made_co = TypeVar("_Made_co", bound="WebSocketProtocol", covariant=True)


class WebSocketTransport(Protocol):
    """One end of a WebSocket: sends messages.  What is sent after the end is dropped."""

    def sendTextMessage(self, text: str) -> None:
        """Send a message of text.

        :raises UnicodeEncodeError: if it has lone surrogates, which no peer could read.
        """

    def sendBytesMessage(self, data: bytes) -> None:
        """Send a message of bytes."""

    def loseConnection(self, code: int = 1000) -> None:
        """Close the WebSocket, once what was sent is written: the peer is told, and has a while to say that it heard.

        :param code: the status code that it is told: RFC 6455, 7.4.
        :raises ValueError: if that code may not be sent.
        """

    def ping(self, payload: bytes = b"") -> None:
        """Have the peer send a pong, of which ``pongReceived`` is told.

        :param payload: at most 125 bytes.
        :raises ValueError: if there are more.
        """

    def attachProducer(self, producer: IPushProducer) -> None:
        """Have a producer of messages told when the peer takes no more for now, and when it does again.

        Without one, nothing more is read from a peer that does not take what it is sent.

        :raises RuntimeError: if there is one already.
        """

    def detachProducer(self) -> None:
        """Have no producer any more."""


class WebSocketProtocol(Protocol):
    """The program's side of a WebSocket.

    ``negotiationStarted`` comes first, ``connectionLost`` last.
    """

    def negotiationStarted(self, transport: WebSocketTransport) -> None:
        """Be given the transport.  Nothing can be sent before ``negotiationFinished``."""

    def negotiationFinished(self) -> None:
        """Learn that the WebSocket is there: messages may come and go."""

    def textMessageReceived(self, message: str) -> None:
        """Take a message of text."""

    def bytesMessageReceived(self, data: bytes | bytearray) -> None:
        """Take a message of bytes."""

    def pongReceived(self, payload: bytes) -> None:
        """Learn that the peer has answered a ping, or some pings: it may leave out all but the last."""

    def connectionLost(self, reason: Failure) -> None:
        """Learn that the WebSocket has ended.

        :param reason: a :class:`WebSocketClosed` if both ends wanted that, a :class:`WebSocketBroken` if not, or why a
            client did not get a WebSocket.
        """


class WebSocketServerFactory(Protocol[_Made_co]):
    """Makes the server's protocols."""

    def buildProtocol(self, request: Any) -> _Made_co:
        """Return a protocol for a client, or a Deferred of one; None if the client is to be refused.

        :param request: the :class:`torsion.web.server.Request`; cookies and headers set on it are sent.
        """


class WebSocketClientFactory(Protocol[_Made_co]):
    """Makes the client's protocols."""

    def buildProtocol(self, url: str) -> _Made_co:
        """Return a protocol for a connection to *url*."""
