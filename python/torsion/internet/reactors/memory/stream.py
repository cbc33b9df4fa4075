"""A connected byte stream in memory, with the names of the native one."""

from __future__ import annotations

import errno
from collections import deque
from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.memory.sockets import system_error
from torsion.internet.reactors.memory.state import Action, Input, StreamState
from torsion.internet.reactors.memory.turns import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion.internet.reactors.memory.engine import MemoryEngine
    from torsion.internet.reactors.memory.sockets import Address, StreamSocket

__all__ = ["HIGH_WATER", "REASONS", "MemoryStream", "Outbox", "as_bytes"]

HIGH_WATER = 64 * 1024
"""More bytes than this in an outbox pause its producer until it is empty: the native engine's mark."""

FAIR_SHARE = READ_SIZE = 256 * 1024
"""How much is read at once, and by one stream in one turn: the native engine's share."""

FLUSH_SHARE = 1024 * 1024
"""After how many bytes a flush lets the others go first: the native engine's share."""

REASONS = {
    Action.CLOSE_DONE: 0,
    Action.CLOSE_LOST: 1,
    Action.CLOSE_ABORTED: 2,
    Action.CLOSE_RAISED: 3,
}
"""The numbers by which owners know why a stream ended: those of the native border."""

REASON_ABORTED = REASONS[Action.CLOSE_ABORTED]
_RESETS = (REASONS[Action.CLOSE_ABORTED], REASONS[Action.CLOSE_RAISED])


def as_bytes(data: Any) -> bytes:
    """Return *data*, a buffer of bytes, as bytes that nobody can change.

    :raises TypeError: if it is something else.
    """
    if type(data) is bytes:
        return data
    if isinstance(data, str):
        shown = repr(data)
        raise TypeError(
            f"data to write must be bytes, not str ({shown[:60]}): encode it first, for example with .encode('utf-8')"
        )
    try:
        view = memoryview(data)
    except TypeError:
        view = None
    if view is None or view.format != "B":
        raise TypeError(
            f"data to write must be bytes or another buffer of bytes, not {type(data).__name__} ({data!r:.60})"
        )
    return view.tobytes()


class Outbox:
    """What a stream still has to write."""

    __slots__ = ("_pieces", "full", "size")

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self.size = 0
        self.full = False  # it went above the high-water mark and has not been empty since

    def push(self, data: bytes) -> None:
        """Queue *data*."""
        if data:
            self._pieces.append(data)
            self.size += len(data)
            self.full = self.full or self.size > HIGH_WATER

    def front(self, most: int) -> bytes:
        """Return the first *most* bytes, which stay."""
        if len(self._pieces) == 1 and self.size <= most:
            return self._pieces[0]
        pieces, size = [], 0
        for piece in self._pieces:
            pieces.append(piece)
            size += len(piece)
            if size >= most:
                break
        return b"".join(pieces)[:most]

    def drop(self, count: int) -> None:
        """Forget the first *count* bytes."""
        self.size -= count
        if not self.size:
            self._pieces.clear()
            self.full = False
            return
        while count:
            piece = self._pieces.popleft()
            if len(piece) > count:
                self._pieces.appendleft(piece[count:])
                return
            count -= len(piece)

    def clear(self) -> None:
        """Forget everything."""
        self._pieces.clear()
        self.size, self.full = 0, False


class MemoryStream(Entry):
    """One connected byte stream: what a user asks of it.  What the engine does with it, :mod:`.service` tells.

    :ivar protocol: whose ``dataReceived`` is called; looked at anew for each delivery.
    :ivar owner: the port or connector that it came from.
    :ivar opened: when it was made, as ``reactor.seconds`` tells it.
    """

    def __init__(self, engine: MemoryEngine, owner: Any, socket: StreamSocket) -> None:
        self.engine = engine
        self.owner = owner
        self.protocol: Any = None
        self.producer: Any = None
        self.streamingProducer = False
        self.disconnecting = False
        self.disconnected = False
        self.socket: StreamSocket | None = socket
        self.state = StreamState()
        self.outbox = Outbox()
        self.dirty = False  # whether it is in the engine's list of those to flush
        self.aware = False  # whether there is known to be something to read
        self.asked = False  # whether its producer is one that is asked for each piece
        self.broken = 0  # what writing failed with, while what the peer said before is being read
        self.code: int | None = None  # why it was closed
        self.errno = 0
        self.reason: object = None  # what the owner made of what a hook raised
        self._host, self._peer = socket.local, socket.remote
        self._options = {"nodelay": False, "keepalive": False}
        self._read = self._written = 0
        self.opened = engine.seconds()

    @property
    def connected(self) -> bool:
        """Whether it is not yet lost."""
        return not self.disconnected

    # --- writing and closing -----------------------------------------------------------------------------------------

    def write(self, data: Any) -> None:
        """Queue *data*.  Never raises for a dead peer; ignored once the stream is aborted, shut or lost.

        :raises TypeError: if it is no buffer of bytes.
        """
        if type(data) is not bytes:
            data = as_bytes(data)
        engine = self.engine
        engine.enter()
        outbox = self.outbox
        if outbox.size + len(data) > HIGH_WATER or not data:
            self._queue((data,))
            return
        if self.socket is not None and self.state.accepts_writes and not self.broken:
            outbox.push(data)
        if not self.busy:
            engine.soil(self)

    def writeSequence(self, data: Iterable[Any]) -> None:
        """Queue each of *data*, as by :meth:`write`; nothing, if one of them is no buffer of bytes."""
        pieces = [as_bytes(each) for each in data]
        self.engine.enter()
        self._queue(pieces)

    def _queue(self, pieces: Iterable[bytes]) -> None:
        full = False
        if self.socket is not None and self.state.accepts_writes and not self.broken:
            for data in pieces:
                self.outbox.push(data)
                full = (self.outbox.full and bool(self.state.apply(Input.OUTBOX_FULL))) or full
        self.engine.soil(self)
        if full and self.producer is not None:
            try:
                self.producer.pauseProducing()
            except BaseException as exception:  # noqa: BLE001 - whatever it is, the connection is lost for it
                self.engine.fail(self, exception)

    def _change(self, what: Input) -> None:
        self.engine.enter()
        actions = self.state.apply(what)
        if Action.CLEAR_OUTBOX in actions:
            self.outbox.clear()
        self.engine.soil(self)

    def loseConnection(self) -> None:
        """Close once everything is sent, and whoever must be waited for is done."""
        self._change(Input.LOSE)
        self.disconnecting = not self.disconnected

    def abortConnection(self) -> None:
        """Close now; drop what is queued and reset the connection.  The protocol is told later."""
        self._change(Input.ABORT)
        self.disconnecting = not self.disconnected

    def loseWriteConnection(self) -> None:
        """Shut down our half once everything is sent; go on reading."""
        self._change(Input.LOSE_WRITE)

    # --- producing ---------------------------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """Stop reading."""
        self.engine.enter()
        self.state.apply(Input.PAUSE)

    def resumeProducing(self) -> None:
        """Read again, beginning with what came meanwhile."""
        self.engine.enter()
        if self.state.apply(Input.RESUME) and self.readable:
            self.engine.enqueue(self)

    def stopProducing(self) -> None:
        """The same as :meth:`loseConnection`."""
        self.loseConnection()

    stopReading = pauseProducing
    startReading = resumeProducing

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* be told when to write.

        :raises RuntimeError: while another one is registered.
        """
        self.engine.enter()
        if self.producer is not None:
            raise RuntimeError(
                f"cannot register producer {producer!r}: producer {self.producer!r} was never unregistered; "
                "call unregisterProducer() first"
            )
        if self.socket is None:
            producer.stopProducing()
            return
        self.asked = not streaming
        self.state.apply(Input.STREAMING_PRODUCER if streaming else Input.PULL_PRODUCER)
        self.streamingProducer = bool(streaming)
        self.producer = producer
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer; a close that waited for it goes on."""
        self.engine.enter()
        self.producer = None
        self.streamingProducer = self.asked = False
        self._change(Input.NO_PRODUCER)

    # --- questions ---------------------------------------------------------------------------------------------------

    def host_address(self) -> Address:
        """Return this end's address."""
        return self._host

    def peer_address(self) -> Address:
        """Return the other end's address."""
        return self._peer

    def _option(self, name: str, value: object = None) -> bool:
        self.engine.enter()
        if self.socket is None:
            raise OSError(errno.EBADF, "the connection is closed")
        if value is not None:
            self._options[name] = bool(value)
        return self._options[name]

    def getTcpNoDelay(self) -> bool:
        """Return what :meth:`setTcpNoDelay` was told; nothing else depends on it here."""
        return self._option("nodelay")

    def setTcpNoDelay(self, enabled: object) -> None:
        """Remember *enabled*."""
        self._option("nodelay", bool(enabled))

    def getTcpKeepAlive(self) -> bool:
        """Return what :meth:`setTcpKeepAlive` was told; nothing else depends on it here."""
        return self._option("keepalive")

    def setTcpKeepAlive(self, enabled: object) -> None:
        """Remember *enabled*."""
        self._option("keepalive", bool(enabled))

    def fileno(self) -> int:
        """Return -1: there is no descriptor."""
        self.engine.enter()
        return -1

    def statistics(self) -> dict[str, int]:
        """Return bytes_read, bytes_written and bytes_queued."""
        self.engine.enter()
        return {"bytes_read": self._read, "bytes_written": self._written, "bytes_queued": self.outbox.size}

    # --- what the engine does ----------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Read this turn's share, then write what waits."""
        self.engine.serve_stream(self)

    def vanish(self) -> None:
        """Be gone without a word; the socket is the network's concern."""
        self.socket = None

    def noticed(self) -> None:
        """The engine has heard of the change; what came before it looks is not known to be there."""
        self.aware = self.aware or (self.socket is not None and self.socket.readable)

    @property
    def readable(self) -> bool:
        """Whether a read is known to find something, or what is left of a broken connection is to be read."""
        return (self.aware or self.broken != 0) and self.socket is not None

    @property
    def wants_input(self) -> bool:
        """Whether a read may be tried."""
        return self.state.reading and (self.aware or self.broken != 0) and self.socket is not None

    def touched(self) -> None:
        """The socket has changed."""
        self.engine.touch(self)

    def receive(self, limit: int) -> bytes:
        """Read once; an empty answer is the end.

        :raises BlockingIOError: if there is nothing now.
        :raises OSError: if the connection is broken.
        """
        assert self.socket is not None
        try:
            data = self.socket.read(limit)
        except OSError:
            self.aware = False
            if self.broken:
                raise system_error(self.broken) from None
            raise
        self.aware = bool(data) and self.socket.readable
        if not data and self.broken:
            raise system_error(self.broken)
        self._read += len(data)
        return data

    def send(self) -> tuple[Action | None, bool]:
        """Write what is taken; return what is owed then, and whether more may be taken after others have had their turn."""
        socket = self.socket
        if socket is None:
            return None, False
        if self.state.aborting:
            return self._settle(), False
        if self.broken:
            return self._break_off(self.broken)
        written = 0
        outbox = self.outbox
        while outbox.size:
            if not socket.writable:
                return self._ask_for_error(), False
            try:
                taken = socket.write(outbox.front(FLUSH_SHARE))
            except OSError as error:
                return self._break_off(error.errno or 0)
            written += taken
            self._written += taken
            outbox.drop(taken)
            if written >= FLUSH_SHARE and outbox.size:
                return None, True
        if self.asked and not written:
            return self._ask_for_error(), False  # it was asked before and has not answered
        if self.state.calm and not socket.has_error:
            return None, False
        return self._settle() or self._ask_for_error(), False

    def _ask_for_error(self) -> Action | None:
        """If nothing is read any more and nothing was written, only this tells that the connection broke."""
        socket = self.socket
        if socket is None or not socket.has_error or not self.state.deaf:
            return None
        return self.failed(socket.take_error())

    def _break_off(self, number: int) -> tuple[Action | None, bool]:
        """Writing failed: read what the peer said before, if anybody does, and end behind it."""
        if not self.state.reading:
            return self.failed(number), False
        if self.broken:
            return None, False
        self.broken = number
        self.outbox.clear()
        return None, True

    def _settle(self) -> Action | None:
        owed = None
        for action in self.state.apply(Input.FLUSHED):
            if action is Action.SHUT_WRITE and self.socket is not None:
                self.socket.shut()
            elif action in REASONS or action in (Action.RESUME_PRODUCER, Action.DELIVER_WRITE_CLOSED):
                owed = action
        return owed

    def failed(self, number: int) -> Action | None:
        """Note that the connection broke; return how to close it, unless it is closed."""
        self.errno = number
        return next((action for action in self.state.apply(Input.FAILED) if action in REASONS), None)

    def close(self, code: int) -> None:
        """Give the socket back."""
        self.code = code
        if code != REASONS[Action.CLOSE_LOST]:
            self.errno = 0
        self.outbox.clear()
        socket, self.socket = self.socket, None
        if socket is not None:
            if code not in _RESETS and self.aware:
                _forget_input(socket)
            socket.close(reset=code in _RESETS)


def _forget_input(socket: StreamSocket) -> None:
    """Throw away what nobody will read: a socket that is closed with unread input is reset."""
    left = FAIR_SHARE
    try:
        while left > 0 and (data := socket.read(left)):
            left -= len(data)
    except OSError:
        return
