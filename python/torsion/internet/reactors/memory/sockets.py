"""What a kernel has for streams, in memory: sockets that are connected, that listen, and that try to connect.

They behave as Linux's do where a program can tell: what arrived before a reset can still be read, data for a socket that
is closed is answered with a reset, and so is closing one with unread data.
"""

from __future__ import annotations

import errno
from collections import deque
from os import strerror
from typing import TYPE_CHECKING, Any, Protocol

from torsion.internet.reactors.memory.clock import nanoseconds
from torsion.internet.reactors.memory.path import GIVES_UP, Path

if TYPE_CHECKING:
    from typing import TypeAlias

    from torsion.internet.reactors.memory.machine import Machine
    from torsion.internet.reactors.memory.network import Network

    Address: TypeAlias = tuple[Any, ...]

__all__ = ["SLOW_READ", "ListeningSocket", "StreamSocket", "Watcher", "system_error"]

SLOW_READ = 0.1
"""How many seconds' worth of bytes a slow reader reads at once."""


class Watcher(Protocol):
    """Whoever is to know that a socket may have become readable or writable."""

    def touched(self) -> None:
        """Something has changed."""


def system_error(number: int) -> OSError:
    """Return the system's error *number*, of the right class and with the system's words."""
    return OSError(number, strerror(number))


class StreamSocket:
    """One end of a connection.

    :ivar local: this end's address.
    :ivar remote: the other end's.
    :ivar watcher: who is told when something changes.
    :ivar has_error: whether there is an error that nobody was told of.
    """

    __slots__ = (
        "_acknowledged", "_blocked", "_broken", "_closed", "_ended", "_error", "_gone", "_inbox", "_resting", "_shut", "_unread",
        "_waits", "_way", "has_error", "local", "machine", "network", "other", "remote", "watcher",
    )  # fmt: skip

    def __init__(self, network: Network, local: Address, remote: Address, machine: Machine | None = None) -> None:
        self.network = network
        self.local = local
        self.remote = remote
        self.machine = machine
        self.watcher: Watcher | None = None
        self.other: StreamSocket | None = None
        self._way = Path(network, local, remote)
        self._inbox: deque[bytes] = deque()
        self._unread = 0  # of what this end sent: under way, or there and not read
        self._acknowledged: deque[tuple[int, int]] = deque()  # when it will be known that how much of that was read
        self._blocked = False  # somebody wants to write and cannot
        self._ended = False  # the peer's end has arrived
        self._error = 0  # to be told once
        self.has_error = False
        self._broken = False
        self._shut = False
        self._closed = False
        self._gone = False  # without a word
        self._resting = False  # it reads slowly
        self._waits = False  # it has sent something while the way was cut

    def join(self, other: StreamSocket) -> None:
        """Make *other* this connection's other end."""
        self.other, other.other = other, self

    # --- what a program asks -----------------------------------------------------------------------------------------

    @property
    def readable(self) -> bool:
        """Whether a read would find something: bytes, the end or an error."""
        return bool(self._inbox or self._ended or self._broken) and not self._resting

    @property
    def writable(self) -> bool:
        """Whether a write would be taken, or fail; if not, the watcher is told when it may be."""
        return self._unread < self._way.look().capacity or self._broken or self._shut or self._room() > 0

    def _room(self) -> int:
        """Return how many bytes would be taken; with none, have the watcher be told when there may be some."""
        clock = self.network.clock
        known = self._acknowledged
        while known and known[0][0] <= clock.now:
            self._unread -= known.popleft()[1]
        room = self._way.look().capacity - self._unread
        if room <= 0:
            self._blocked = True
            while known:
                when, count = known.popleft()
                clock.at(when, self._read, count)
        return room

    def take_error(self) -> int:
        """Return the error that nobody was told of, or 0, and forget it."""
        number, self._error = self._error, 0
        self.has_error = False
        return number

    def read(self, limit: int) -> bytes:
        """Return what has arrived, at most *limit* bytes; nothing at the end.

        :raises BlockingIOError: if there is nothing now.
        :raises OSError: if the connection broke.
        """
        if self._resting:
            raise system_error(errno.EAGAIN)
        if self._inbox:
            machine = self.machine
            if machine is not None and machine.pace is not None:
                limit = self._rest(limit, machine.pace)
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

    def _rest(self, limit: int, pace: float) -> int:
        """Read nothing for a while, because this computer is slow; return how much is to be read before."""
        limit = max(1, min(limit, int(pace * SLOW_READ), len(self._inbox[0])))
        self._resting = True
        clock = self.network.clock
        clock.at(clock.now + nanoseconds(limit / pace), self._rested)
        return limit

    def _rested(self) -> None:
        self._resting = False
        if self.readable:
            self._touch()

    def _take(self, limit: int) -> bytes:
        first = self._inbox.popleft()
        if len(first) > limit:
            self._inbox.appendleft(first[limit:])
            return first[:limit]
        if not self._inbox or self._way.conditions.fragment is not None:
            return first
        pieces, size = [first], len(first)
        while self._inbox and size + len(self._inbox[0]) <= limit:
            pieces.append(self._inbox.popleft())
            size += len(pieces[-1])
        return b"".join(pieces)

    def _back(self, count: int) -> None:
        """Let the other end know that *count* bytes were read.

        It is no event unless somebody waits for it: who writes looks what is known by then.
        """
        other = self.other
        if other is None:
            return
        when = None if other._blocked else self._way.arrival()
        if when is None:
            self._way.send(other._read, count)
        elif when > (now := self.network.clock.now):
            known = other._acknowledged
            while known and known[0][0] <= now:
                other._unread -= known.popleft()[1]
            known.append((when, count))
        else:
            other._unread -= count

    def write(self, data: bytes) -> int:
        """Send the beginning of *data*; return how much of it was taken.

        :raises BlockingIOError: if nothing is taken now.
        :raises OSError: if the connection is broken or shut.
        """
        if self._error:
            raise system_error(self.take_error())
        other = self.other
        if self._broken or self._shut or other is None:
            raise system_error(errno.EPIPE)
        way = self._way
        taken = len(data)
        if self._unread + taken > way.look().capacity:
            taken = min(taken, self._room())
            if taken <= 0:
                raise system_error(errno.EAGAIN)
            data = data[:taken]
        self._unread += taken
        if not self._waits and self.network.is_cut(self.local[0], self.remote[0]):
            self._wait_for_answer()
        fragment = way.conditions.fragment
        if fragment is None:
            way.send_data(other._arrived, data)
        else:
            for piece in self.network.cut_up(data, fragment):
                way.send(other._arrived, piece, kind="data", data=piece)
        return taken

    def shut(self) -> None:
        """Send an end behind everything that was written."""
        if self._shut or self._closed or self._broken:
            return
        self._shut = True
        other = self.other
        if other is not None:
            self._way.send(other._end_arrived, kind="end")

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

    def vanish(self) -> None:
        """Be gone without a word: nothing is sent, and nothing that comes is answered while the computer is down."""
        self._gone = self._closed = True
        self.watcher = None
        self._inbox.clear()
        self.network.forget(self)

    # --- what the other end and the network do -----------------------------------------------------------------------

    def _send_reset(self) -> None:
        if self.other is not None and not self._broken:
            self._way.send(self.other.break_off, kind="reset")
        self._broken = self._shut = True

    def _arrived(self, data: bytes) -> None:
        if self._closed or self._broken:
            if self._gone and self.other is not None:
                self.other.nobody_answers()
            elif not self._broken:
                self._send_reset()
            return
        self._inbox.append(data)
        if self.watcher is not None:
            self.watcher.touched()

    def _end_arrived(self) -> None:
        if self._gone and self.other is not None:
            self.other.nobody_answers()
        elif not self._broken:
            self._ended = True
            self._touch()

    def nobody_answers(self) -> None:
        """What this end sent came to a computer that has forgotten the connection: ask again and again, then break."""
        other = self.other
        if self._closed or self._broken or other is None or other.machine is None:
            return
        if other.machine.down:
            self.network.ask_again(self)
        else:
            other._way.send(self.break_off, kind="reset")

    def _wait_for_answer(self) -> None:
        """Give up if the way stays cut for too long."""
        clock = self.network.clock
        self._waits = True
        clock.at(clock.now + GIVES_UP, self._give_up, self.network.heals)

    def _give_up(self, heals: int) -> None:
        self._waits = False
        if self._closed or self._broken or not self.network.is_cut(self.local[0], self.remote[0]):
            return
        if self.network.heals != heals:
            self._wait_for_answer()  # it may have been open for a while
            return
        self._gone = self._way.given_up = True
        self.break_off(errno.ETIMEDOUT)

    def _read(self, count: int) -> None:
        self._unread -= count
        self._blocked = False
        self._touch()

    def break_off(self, number: int = errno.ECONNRESET) -> None:
        """Break: what has arrived can still be read, then there is an error."""
        if self._broken:
            return
        self._broken = True
        self._error = errno.EPIPE if self._ended and number == errno.ECONNRESET else number
        self.has_error = True
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
