"""Either end of a WebSocket, once it is there."""

from __future__ import annotations

from collections import deque
from os import urandom
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.interfaces import IPushProducer
from torsion.internet.protocol import Protocol, connectionDone
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.websocket.assembly import Assembly, TooMuchError
from torsion.web.websocket.errors import WebSocketBroken, WebSocketClosed
from torsion.web.websocket.settings import PING_PERIOD, PINGS, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Connection"]

_log = Logger()

_CONTROL = 125


@implementer(IPushProducer)
class _Brake:
    """Stands before a transport that has no producer of the program's: reading stops while the peer takes nothing."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def pauseProducing(self) -> None:
        self._connection._brake(True)

    def resumeProducing(self) -> None:
        self._connection._brake(False)

    def stopProducing(self) -> None:
        pass


class Connection(Protocol):
    """One end of a WebSocket: what the program is given as :class:`WebSocketTransport`, and the bytes' protocol.

    :ivar subprotocol: the sub-protocol that was agreed upon, or None.
    """

    subprotocol: str | None = None

    _codec: Any = None
    _events: Iterator[Any] | None = None
    _reading = False
    _held = False  # by the program
    _braked = False  # because the peer takes nothing
    _stopped = False  # whether the transport knows
    _owed = -1  # bytes that were written since the producer was told to pause; -1 if it was not
    _said_close = False
    _broken: WebSocketBroken | None = None
    _closed: WebSocketClosed | None = None
    _gone = False
    _producer: Any = None
    _own: _Brake | None = None
    _pings = 0
    _pings_since = 0.0
    _awaited: bytes | None = None
    _heard = False
    _calls: dict[str, Any]

    def __init__(self, protocol: Any, client: bool, clock: Any, settings: Settings | None = None) -> None:
        """Make the end of a WebSocket that is to be.

        :param protocol: the program's :class:`WebSocketProtocol`.
        :param client: which end this is.
        :param clock: for time-outs: an ``IReactorTime``.
        :param settings: limits and time-outs.
        """
        self._protocol = protocol
        self._client = client
        self._clock = clock
        self._settings = Settings() if settings is None else settings
        self._backlog: deque[bytes] = deque()
        self._assembly = Assembly(self._settings)
        self._calls = {}
        self._close_at_once: int | None = None

    # --- the connection ----------------------------------------------------------------------------------------------

    def agree(self, extension: Any, subprotocol: str | None) -> None:
        """Learn what the handshake has come to.

        :param extension: of the codec; None for no compression.
        :param subprotocol: its name, or None.
        """
        from torsion.web.websocket.codec import Codec

        self._codec = Codec(self._client, extension)
        self.subprotocol = subprotocol

    def connectionMade(self) -> None:
        """Begin: the handshake is over."""
        self._tell(self._protocol.negotiationFinished)
        if self._close_at_once is not None:
            self.loseConnection(self._close_at_once)
        else:
            self._watch()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the program that it is over, and why."""
        if self._gone:
            return
        self._gone = True
        for name in tuple(self._calls):
            self._cancel(name)
        self._backlog.clear()
        self._events = None
        self._assembly.clear()
        end: Failure
        if self._broken is not None:
            end = Failure(self._broken)
        elif self._closed is not None:
            end = Failure(self._closed)
        elif self.connected:
            end = Failure(WebSocketBroken(1006, f"the connection was lost: {reason.getErrorMessage()}"))
        else:
            end = reason
        try:
            self._protocol.connectionLost(end)
        except Exception:  # noqa: BLE001 - the program's
            _log.failure("{protocol!r} could not take the end of its WebSocket", protocol=self._protocol)

    def finish(self) -> None:
        """Close the WebSocket because the server goes away (code 1001)."""
        self.loseConnection(1001)

    def getPeer(self) -> Any:
        """Return the peer's address."""
        return self.transport.getPeer()

    def getHost(self) -> Any:
        """Return this end's address."""
        return self.transport.getHost()

    # --- reading -----------------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the peer."""
        if self._broken is not None or self._closed is not None:
            return  # it was told, or has said itself, that nothing counts any more
        self._heard = True
        step = self._codec.step
        if len(data) <= step:
            self._backlog.append(data)
        else:
            self._backlog.extend(data[at : at + step] for at in range(0, len(data), step))
        self._read()

    def _read(self) -> None:
        """Make of what has come what can be made now."""
        if self._reading:
            return
        self._reading = True
        try:
            while not (self._held or self._braked or self._gone or self._broken or self._closed):
                event = None if self._events is None else next(self._events, None)
                if event is not None:
                    self._take(event)
                elif self._backlog:
                    self._events = self._codec.receive(self._backlog.popleft())
                else:
                    self._events = None
                    break
        finally:
            self._reading = False

    def _take(self, event: Any) -> None:
        match type(event).__name__:
            case "BytesMessage" | "TextMessage":
                self._part(event)
            case "Ping":
                self._answer_ping(bytes(event.payload))
            case "Pong":
                payload = bytes(event.payload)
                if payload == self._awaited:
                    self._awaited = None
                else:
                    self._tell(self._protocol.pongReceived, payload)
            case "CloseConnection":
                if self._codec.closed_by_peer:
                    self._end(event)
                else:
                    self._fail(int(event.code), event.reason or "the peer's bytes cannot be read")

    def _part(self, event: Any) -> None:
        """Take a part of a message."""
        try:
            message = self._assembly.add(event)
        except TooMuchError as wrong:
            self._fail(wrong.code, str(wrong))
            return
        if message is None or self._said_close:
            return
        if isinstance(message, str):
            self._tell(self._protocol.textMessageReceived, message)
        else:
            self._tell(self._protocol.bytesMessageReceived, message)

    def _answer_ping(self, payload: bytes) -> None:
        now = self._clock.seconds()
        if now - self._pings_since > PING_PERIOD:
            self._pings, self._pings_since = 0, now
        self._pings += 1
        if self._pings > PINGS:
            self._fail(1008, f"more than {PINGS} pings came within {PING_PERIOD:g} seconds")
        elif not self._said_close:
            self._write(self._codec.pong(payload))

    def _tell(self, hook: Any, *args: Any) -> None:
        """Call the program's code; what it raises ends this WebSocket, and no more."""
        try:
            hook(*args)
        except Exception:  # noqa: BLE001 - the program's
            _log.failure("{protocol!r} has failed, and its WebSocket is closed", protocol=self._protocol)
            self._fail(1011, "the program failed")

    # --- the end -----------------------------------------------------------------------------------------------------

    def _end(self, event: Any) -> None:
        """Take the peer's last word."""
        self._closed = WebSocketClosed(int(event.code), event.reason or "")
        if not self._said_close:
            self._said_close = True
            self._write(self._codec.answer(event))
        self._release()
        if self._client:  # the server closes first (RFC 6455, 7.1.1), so that no port of it is kept waiting
            self._call("close", self._settings.closeTimeout, self._abort)
        else:
            self._call("close", self._settings.closeTimeout, self._abort)
            self.transport.loseConnection()

    def _fail(self, code: int, reason: str) -> None:
        """End it for something that went wrong, and say what."""
        if self._broken is not None or self._closed is not None or self._gone:
            return
        self._broken = WebSocketBroken(code, reason)
        self._backlog.clear()
        if not self._said_close:
            self._said_close = True
            self.transport.write(self._codec.close(code, reason))
        self._release()
        self._call("close", self._settings.closeTimeout, self._abort)
        # What the peer has sent and we have not read would have the system take back our last word: so we read on, for a while.
        half = getattr(self.transport, "loseWriteConnection", None)
        if half is not None:
            half()
        else:
            self.transport.loseConnection()

    def _release(self) -> None:
        """Let go of producers, and read whatever comes: nothing more is to be sent."""
        self._cancel("ping")
        self._cancel("pong")
        self._cancel("stall")
        producer, self._producer = self._producer, None
        if producer is not None:
            self.transport.unregisterProducer()
            producer.stopProducing()
        elif self._own is not None:
            self._own = None
            self.transport.unregisterProducer()
        self._held = self._braked = False
        self._let_read()

    def _abort(self) -> None:
        """Close the connection at once."""
        getattr(self.transport, "abortConnection", self.transport.loseConnection)()

    def loseConnection(self, code: int = 1000, reason: str = "") -> None:
        """Close the WebSocket; see :meth:`WebSocketTransport.loseConnection`.

        :param code: the status code: 1000, 1001, 1003, 1007 to 1014, or 3000 to 4999.
        :param reason: words for the peer, up to 123 bytes in UTF-8.
        :raises ValueError: if that code may not be sent.
        """
        if not (
            code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014) or 3000 <= code <= 4999
        ):
            raise ValueError(
                f"a WebSocket cannot be closed with the code {code!r}: RFC 6455, 7.4 has those that can be sent"
            )
        if not self.connected:
            self._close_at_once = code
            return
        if self._said_close or self._gone:
            return
        self._said_close = True
        self.transport.write(self._codec.close(code, reason))
        self._release()
        self._call("close", self._settings.closeTimeout, self._late)
        self._read()

    def _late(self) -> None:
        self._broken = WebSocketBroken(1006, "the peer did not say that it heard of the end")
        self._abort()

    # --- writing -----------------------------------------------------------------------------------------------------

    def sendTextMessage(self, text: str) -> None:
        """Send a message of text; see :class:`WebSocketTransport`."""
        if self._can_send():
            self._write(self._codec.text(text))

    def sendBytesMessage(self, data: bytes) -> None:
        """Send a message of bytes; see :class:`WebSocketTransport`."""
        if self._can_send():
            self._write(self._codec.message(data))

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping; see :class:`WebSocketTransport`.

        :raises ValueError: for more than 125 bytes.
        """
        if len(payload) > _CONTROL:
            raise ValueError(f"a ping has at most {_CONTROL} bytes, not {len(payload)}")
        if self._can_send():
            self._write(self._codec.ping(payload))

    def _can_send(self) -> bool:
        if not self.connected and not self._gone:
            raise RuntimeError("the WebSocket is not there yet: messages can be sent from negotiationFinished on")
        return not (self._said_close or self._gone)

    def _write(self, data: bytes) -> None:
        if self._producer is None and self._own is None:
            self._own = _Brake(self)
            self.transport.registerProducer(self._own, True)
        if self._owed >= 0 and self._producer is not None:
            most = self._settings.maxBacklog
            if most is not None and self._owed > most:
                self._broken = WebSocketBroken(
                    1006, f"the peer did not take what was sent, and {most} bytes wait for it"
                )
                self._abort()
                return
            self._owed += len(data)
        self.transport.write(data)

    # --- back-pressure -----------------------------------------------------------------------------------------------

    def attachProducer(self, producer: Any) -> None:
        """Have a producer of messages; see :class:`WebSocketTransport`.

        :raises RuntimeError: if there is one already.
        """
        if self._producer is not None:
            raise RuntimeError(f"{self._producer!r} produces the messages, and was not detached")
        if self._gone or self._said_close:
            producer.stopProducing()
            return
        paused = self._braked
        if self._own is not None:
            self._own = None
            self.transport.unregisterProducer()
            self._brake(False)
        self._producer = producer
        self.transport.registerProducer(producer, True)
        if paused:
            producer.pauseProducing()

    def detachProducer(self) -> None:
        """Have no producer any more."""
        if self._producer is not None:
            self._producer = None
            self.transport.unregisterProducer()

    def pauseProducing(self) -> None:
        """Deliver no more messages for now: the peer is not read from.  Pings wait, too."""
        self._held = True
        self._stop_reading()

    def resumeProducing(self) -> None:
        """Deliver messages again."""
        if self._held:
            self._held = False
            self._read()
            self._let_read()

    def _brake(self, on: bool) -> None:
        """Stop reading while the peer takes nothing, or begin again."""
        if self._braked is on:
            return
        self._braked = on
        if on:
            self.waitForRoom(True)
            self._stop_reading()
        else:
            self.waitForRoom(False)
            self._read()
            self._let_read()

    def waitForRoom(self, waits: bool) -> None:
        """Begin, or end, the time in which the peer must take what was written to it: ``Settings.stallTimeout``.

        It is for producers that are paused and resumed; without one, it is seen to.  What is written meanwhile counts towards
        ``Settings.maxBacklog``.
        """
        self._owed = 0 if waits else -1
        if not waits:
            self._cancel("stall")
        elif not self._said_close:
            self._call("stall", self._settings.stallTimeout, self._stalled)

    def _stalled(self) -> None:
        self._broken = WebSocketBroken(1006, "the peer did not take what was sent")
        self._abort()

    def _stop_reading(self) -> None:
        if not self._stopped and not self._gone and self.connected:
            self._stopped = True
            self.transport.pauseProducing()

    def _let_read(self) -> None:
        if self._stopped and not (self._held or self._braked or self._gone):
            self._stopped = False
            self.transport.resumeProducing()

    # --- time --------------------------------------------------------------------------------------------------------

    def _call(self, name: str, seconds: float | None, what: Any) -> None:
        self._cancel(name)
        if seconds is not None and not self._gone:
            self._calls[name] = self._clock.callLater(seconds, self._called, name, what)

    def _called(self, name: str, what: Any) -> None:
        del self._calls[name]
        what()

    def _cancel(self, name: str) -> None:
        call = self._calls.pop(name, None)
        if call is not None and call.active():
            call.cancel()

    def _watch(self) -> None:
        if not (self._said_close or self._gone):
            self._call("ping", self._settings.pingInterval, self._see)

    def _see(self) -> None:
        """Send a ping to see whether the peer is there."""
        if self._held or self._braked:  # what it answers would not be read
            self._watch()
            return
        self._awaited = urandom(4)
        self._heard = False
        self._write(self._codec.ping(self._awaited))
        if self._settings.pongTimeout is None:
            self._watch()
        else:
            self._call("pong", self._settings.pongTimeout, self._judge)

    def _judge(self) -> None:
        if self._heard or self._held or self._braked:  # anything that comes shows that it is there
            self._watch()
            return
        self._broken = WebSocketBroken(1006, "the peer did not answer a ping")
        self._abort()
