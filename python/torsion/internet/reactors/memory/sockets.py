"""What a kernel has for streams, in memory: sockets that are connected, that listen, and that try to connect.

They behave as Linux's do where a program can tell: what arrived before a reset can still be read, data for a socket that
is closed is answered with a reset, and so is closing one with unread data.
"""

from __future__ import annotations

import errno
from collections import deque
from os import strerror
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from torsion.internet.reactors.memory.conditions import Conditions
    from torsion.internet.reactors.memory.machine import Machine
    from torsion.internet.reactors.memory.network import Network

    Address: TypeAlias = tuple[Any, ...]

__all__ = ["ListeningSocket", "Path", "StreamSocket", "Watcher", "system_error"]


class Watcher(Protocol):
    """Whoever is to know that a socket may have become readable or writable."""

    def touched(self) -> None:
        """Something has changed."""


def system_error(number: int) -> OSError:
    """Return the system's error *number*, of the right class and with the system's words."""
    return OSError(number, strerror(number))


class Path:
    """One way between two ends: what is sent arrives in order, after a while.

    Without latency it arrives within the call.
    """

    def __init__(self, network: Network, source: Address, target: Address) -> None:
        self._network = network
        self.source = source
        self.target = target
        self._last = 0  # when what was sent last arrives

    @property
    def conditions(self) -> Conditions:
        """How well this way carries, now."""
        return self._network.conditions_between(self.source[0], self.target[0])

    def send(self, arrive: Callable[[], None]) -> None:
        """Have *arrive* called at the other end."""
        network = self._network
        if network.is_cut(self.source[0], self.target[0]):
            network.when_healed(lambda: self.send(arrive))
            return
        when = max(self._last, network.clock.now + network.draw_delay(self.conditions))
        waiting = self._last > network.clock.now
        self._last = when
        if when > network.clock.now or waiting:
            network.clock.at(when, arrive)
        else:
            arrive()


class StreamSocket:
    """One end of a connection.

    :ivar local: this end's address.
    :ivar remote: the other end's.
    :ivar watcher: who is told when something changes.
    """

    def __init__(self, network: Network, local: Address, remote: Address) -> None:
        self.network = network
        self.local = local
        self.remote = remote
        self.watcher: Watcher | None = None
        self.other: StreamSocket | None = None
        self._way = Path(network, local, remote)
        self._inbox: deque[bytes] = deque()
        self._unread = 0  # of what this end sent: under way, or there and not read
        self._ended = False  # the peer's end has arrived
        self._error = 0  # to be told once
        self._broken = False
        self._shut = False
        self._closed = False

    def join(self, other: StreamSocket) -> None:
        """Make *other* this connection's other end."""
        self.other, other.other = other, self

    # --- what a program asks -----------------------------------------------------------------------------------------

    @property
    def readable(self) -> bool:
        """Whether a read would find something: bytes, the end or an error."""
        return bool(self._inbox) or self._ended or self._broken

    @property
    def writable(self) -> bool:
        """Whether a write would be taken, or fail."""
        return self._broken or self._shut or self._unread < self._way.conditions.capacity

    @property
    def has_error(self) -> bool:
        """Whether there is an error that nobody was told of."""
        return self._error != 0

    def take_error(self) -> int:
        """Return the error that nobody was told of, or 0, and forget it."""
        number, self._error = self._error, 0
        return number

    def read(self, limit: int) -> bytes:
        """Return what has arrived, at most *limit* bytes; nothing at the end.

        :raises BlockingIOError: if there is nothing now.
        :raises OSError: if the connection broke.
        """
        if self._inbox:
            data = self._take(limit)
            self._back(len(data))
            return data
        if self._ended:
            return b""
        if self._error:
            raise system_error(self.take_error())
        if self._broken:
            return b""
        raise system_error(errno.EAGAIN)

    def _take(self, limit: int) -> bytes:
        first = self._inbox.popleft()
        if len(first) > limit:
            self._inbox.appendleft(first[limit:])
            return first[:limit]
        if self._way.conditions.fragment is not None or not self._inbox:
            return first
        pieces, size = [first], len(first)
        while self._inbox and size + len(self._inbox[0]) <= limit:
            pieces.append(self._inbox.popleft())
            size += len(pieces[-1])
        return b"".join(pieces)

    def _back(self, count: int) -> None:
        """Let the other end know that *count* bytes were read."""
        other = self.other
        if other is not None:
            self._way.send(lambda: other._read(count))

    def write(self, data: bytes) -> int:
        """Send the beginning of *data*; return how much of it was taken.

        :raises BlockingIOError: if nothing is taken now.
        :raises OSError: if the connection is broken or shut.
        """
        if self._error:
            raise system_error(self.take_error())
        if self._broken or self._shut or self.other is None:
            raise system_error(errno.EPIPE)
        conditions = self._way.conditions
        taken = min(len(data), conditions.capacity - self._unread)
        if taken <= 0:
            raise system_error(errno.EAGAIN)
        self._unread += taken
        other = self.other
        for piece in self.network.cut_up(data[:taken], conditions.fragment):
            # The default is how the piece is bound.
            self._way.send(lambda piece=piece: other._arrived(piece))  # type: ignore[misc]
        return taken

    def shut(self) -> None:
        """Send an end behind everything that was written."""
        if self._shut or self._closed or self._broken:
            return
        self._shut = True
        other = self.other
        if other is not None:
            self._way.send(other._end_arrived)

    def close(self, reset: bool = False) -> None:
        """Let go of the connection: in order, or with a reset, which unread data makes of an orderly close too."""
        if self._closed:
            return
        unread = bool(self._inbox)
        self._inbox.clear()
        if reset or unread:
            self._send_reset()
        else:
            self.shut()
        self._closed = True
        self.watcher = None
        self.network.forget(self)

    # --- what the other end and the network do -----------------------------------------------------------------------

    def _send_reset(self) -> None:
        if self.other is not None and not self._broken:
            self._way.send(self.other.break_off)
        self._broken = self._shut = True

    def _arrived(self, data: bytes) -> None:
        if self._broken:
            return
        if self._closed:
            self._send_reset()
            return
        self._inbox.append(data)
        self._touch()

    def _end_arrived(self) -> None:
        if not self._broken:
            self._ended = True
            self._touch()

    def _read(self, count: int) -> None:
        self._unread -= count
        self._touch()

    def break_off(self, number: int = errno.ECONNRESET) -> None:
        """Break: what has arrived can still be read, then there is an error."""
        if self._broken:
            return
        self._broken = True
        self._error = errno.EPIPE if self._ended and number == errno.ECONNRESET else number
        self._touch()

    def _touch(self) -> None:
        if self.watcher is not None:
            self.watcher.touched()


class ListeningSocket:
    """A socket that listens.

    :ivar address: where.
    :ivar backlog: how many connections may wait beside the first, as on Linux; of more, nobody answers until there is room.
    :ivar watcher: who is told of connections.
    """

    def __init__(self, machine: Machine, address: Address, backlog: int) -> None:
        self.machine = machine
        self.address = address
        self.backlog = max(0, backlog)
        self.watcher: Watcher | None = None
        self._queue: deque[StreamSocket] = deque()
        self.closed = False

    @property
    def full(self) -> bool:
        """Whether no other connection can wait."""
        return len(self._queue) > self.backlog

    def put(self, connection: StreamSocket) -> None:
        """Have *connection* wait to be accepted."""
        self._queue.append(connection)
        if self.watcher is not None:
            self.watcher.touched()

    @property
    def readable(self) -> bool:
        """Whether a connection waits."""
        return bool(self._queue)

    def accept(self) -> StreamSocket:
        """Return the connection that has waited longest.

        :raises BlockingIOError: if none does.
        """
        if not self._queue:
            raise system_error(errno.EAGAIN)
        return self._queue.popleft()

    def close(self) -> None:
        """Listen no more; who waits is sent a reset."""
        if self.closed:
            return
        self.closed = True
        self.watcher = None
        self.machine.unbind(self)
        while self._queue:
            self._queue.popleft().close(reset=True)
