"""A listener in memory, with the names of the native one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.memory.machine import as_told
from torsion.internet.reactors.memory.turns import Entry

if TYPE_CHECKING:
    from torsion.internet.reactors.memory.engine import MemoryEngine
    from torsion.internet.reactors.memory.sockets import Address, ListeningSocket, StreamSocket

__all__ = ["ACCEPTS_PER_TURN", "MemoryListener"]

ACCEPTS_PER_TURN = 64
"""How many connections one listener accepts in one turn: the native engine's number."""


class MemoryListener(Entry):
    """Something that listens."""

    def __init__(self, engine: MemoryEngine, socket: ListeningSocket, owner: Any, streams: type) -> None:
        self._engine = engine
        self._socket = socket
        self._owner = owner
        self._streams = streams
        self._paused = False
        self._failing = 0
        self._accepted = 0
        socket.watcher = self
        engine.add(self)

    def address(self) -> Address:
        """Return where it listens."""
        return as_told(self._socket.address)  # type: ignore[no-any-return]  # a name of the family it was made for

    def fileno(self) -> int:
        """Return -1: there is no descriptor."""
        self._engine.enter()
        return -1

    def accepted(self) -> int:
        """Return how many connections it has accepted; 0 once closed."""
        self._engine.enter()
        return 0 if self._socket.closed else self._accepted

    def pause(self) -> None:
        """Accept nothing for now; the backlog fills."""
        self._engine.enter()
        self._paused = True

    def resume(self) -> None:
        """Accept again."""
        self._engine.enter()
        self._paused = False
        self._engine.enqueue(self)

    def fail(self, number: int) -> None:
        """Have accepting fail once with the system's error *number*, as it does when descriptors have run out.

        Whoever waits is turned away, as the native engine does it.
        """
        self._failing = number
        self.touched()

    def close(self) -> None:
        """Listen no more; the owner hears no more of it."""
        self._engine.enter()
        self.dismiss()

    def dismiss(self) -> None:
        """Listen no more."""
        self._socket.close()
        self._engine.discard(self)

    def touched(self) -> None:
        """A connection may wait."""
        self._engine.touch(self)

    def serve(self) -> None:
        """Accept this turn's share."""
        for _ in range(ACCEPTS_PER_TURN):
            if self._paused or self._socket.closed or not (self._socket.readable or self._failing):
                return
            if self._failing:
                self._refuse()
                continue
            self._accept(self._socket.accept())
        self._engine.enqueue(self)

    def _accept(self, connection: StreamSocket) -> None:
        self._accepted += 1
        peer = as_told(connection.remote)
        self._engine.begin(self._owner, connection, self._streams, lambda stream: self._owner.accepted(stream, peer))

    def _refuse(self) -> None:
        number, self._failing = self._failing, 0
        if self._socket.readable:
            self._socket.accept().close()
        try:
            self._owner.accept_failed(number)
        except BaseException as exception:  # noqa: BLE001 - the listener goes on
            self._engine.complain(self._owner, self, exception)
