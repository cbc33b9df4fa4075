"""A connection in the making, in memory, with the names of the native one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.memory.clock import SECOND
from torsion.internet.reactors.memory.path import Path
from torsion.internet.reactors.memory.turns import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.reactors.memory.engine import MemoryEngine
    from torsion.internet.reactors.memory.sockets import ListeningSocket, StreamSocket

__all__ = ["FIRST_RETRY", "MemoryConnector"]

FIRST_RETRY = 1 * SECOND
"""After how long without an answer the request to connect is repeated; the wait doubles each time, as on Linux."""


class MemoryConnector(Entry):
    """A connection in the making."""

    def __init__(
        self,
        engine: MemoryEngine,
        socket: StreamSocket,
        find: Callable[[], ListeningSocket | int | None],
        owner: Any,
        make: type,
    ) -> None:
        """Start to connect.

        :param socket: this end.
        :param find: returns who listens at the other end, or the error that there is nobody, or None if nobody answers.
        :param make: the class of the stream to be made.
        """
        self._engine = engine
        self._find = find
        self._owner = owner
        self._make = make
        self._socket = socket
        self._there = Path(engine.network, socket.local, socket.remote)
        self._back = Path(engine.network, socket.remote, socket.local)
        self._retry = FIRST_RETRY
        self._answered = self._over = False
        self._outcome: int | None = None
        engine.add(self)
        self._ask()

    def fileno(self) -> int:
        """Return -1: there is no descriptor."""
        return -1

    def cancel(self) -> None:
        """Give up; the owner hears no more of it."""
        self._engine.enter()
        self.dismiss()

    def dismiss(self) -> None:
        """Give up."""
        if not self._over:
            self._over = True
            self._engine.discard(self)
            self._socket.close(reset=self._socket.other is not None)

    def vanish(self) -> None:
        """Be gone without a word."""
        self._over = True
        self._socket.vanish()

    def touched(self) -> None:
        """There is an outcome."""
        self._engine.touch(self)

    # --- the request and its answer ----------------------------------------------------------------------------------

    def _ask(self) -> None:
        network = self._engine.network
        here, there = self._socket.local, self._socket.remote
        cut = network.is_cut(here[0], there[0])
        if cut or network.happens(self._there.look().loss):
            if network.trace is not None:
                network.trace.add("connect", here, there, b"", None, "nobody hears" if cut else "lost")
            self._ask_again()  # what asks gets lost; it is not kept for later
            return
        self._there.send(self._asked, kind="connect")

    def _ask_again(self) -> None:
        clock = self._engine.network.clock
        clock.at(clock.now + self._retry, lambda: None if self._over or self._answered else self._ask())
        self._retry *= 2

    def _asked(self) -> None:
        """The request has come to the other computer."""
        if self._over or self._answered:
            return
        found = self._find()
        if found is None:
            self._ask_again()
        elif isinstance(found, int):
            self._answer(found)
        elif found.full:
            self._ask_again()
        else:
            self._engine.network.establish(self._socket, found)
            self._answer(0)

    def _answer(self, outcome: int) -> None:
        self._answered = True
        self._back.send(self._told, outcome, kind="refuse" if outcome else "accept")

    def _told(self, outcome: int) -> None:
        if not self._over:
            self._outcome = outcome
            self.touched()

    def serve(self) -> None:
        """Tell the owner of the outcome."""
        if self._over or self._outcome is None:
            return
        self._over = True
        engine = self._engine
        engine.discard(self)
        if self._outcome == 0 and self._socket.has_error:
            self._outcome = self._socket.take_error()  # it was reset before anybody looked
        if self._outcome == 0:
            engine.begin(self._owner, self._socket, self._make, self._owner.connected)
            return
        try:
            self._owner.connect_failed(self._outcome)
        except BaseException as exception:  # noqa: BLE001 - the loop goes on
            engine.complain(self._owner, self, exception)
