"""A connection in the making, in memory, with the names of the native one."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from torsion.internet.reactors.memory.clock import SECOND
from torsion.internet.reactors.memory.sockets import Path, StreamSocket, system_error
from torsion.internet.reactors.memory.turns import Entry

if TYPE_CHECKING:
    from torsion.internet.reactors.memory.engine import MemoryEngine
    from torsion.internet.reactors.memory.sockets import Address, ListeningSocket

__all__ = ["FIRST_RETRY", "MemoryConnector"]

FIRST_RETRY = 1 * SECOND
"""After how long without an answer the request to connect is repeated; the wait doubles each time, as on Linux."""


class MemoryConnector(Entry):
    """A connection in the making."""

    def __init__(self, engine: MemoryEngine, address: Address, bind: Address | None, owner: Any, streams: type) -> None:
        """Start to connect.

        :raises OSError: if there is no way to *address*, or *bind* cannot be had.
        """
        network, machine = engine.network, engine.machine
        target, remote = network.route(machine, address)
        local = machine.local_for(remote)
        if local is None:
            raise system_error(errno.ENETUNREACH)
        family = remote[2:]
        if bind is None:
            here = (local, machine.free_port("TCP", (local, 0, *family)), *family)
        else:
            here = machine.bind("TCP", bind)
            if here[0] in ("0.0.0.0", "::"):  # noqa: S104 - any address of ours
                here = (local, *here[1:])
        self._engine = engine
        self._target = target
        self._owner = owner
        self._streams = streams
        self._socket = StreamSocket(network, here, remote)
        self._there = Path(network, here, remote)
        self._back = Path(network, remote, here)
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

    def touched(self) -> None:
        """There is an outcome."""
        self._engine.touch(self)

    # --- the request and its answer ----------------------------------------------------------------------------------

    def _ask(self) -> None:
        network = self._engine.network
        if network.is_cut(self._socket.local[0], self._socket.remote[0]):
            self._ask_again()  # what asks gets lost; it is not kept for later
            return
        self._there.send(self._asked)

    def _ask_again(self) -> None:
        clock = self._engine.network.clock
        clock.at(clock.now + self._retry, lambda: None if self._over or self._answered else self._ask())
        self._retry *= 2

    def _asked(self) -> None:
        """The request has come to the other computer."""
        if self._over or self._answered:
            return
        if self._target is None:
            self._answer(errno.EHOSTUNREACH)
            return
        listening: ListeningSocket | None = self._target.find("TCP", self._socket.remote)
        if listening is None:
            self._answer(errno.ECONNREFUSED)
        elif listening.full:
            self._ask_again()
        else:
            self._engine.network.establish(self._socket, listening)
            self._answer(0)

    def _answer(self, outcome: int) -> None:
        self._answered = True
        self._back.send(lambda: self._told(outcome))

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
            engine.begin(self._owner, self._socket, self._streams, self._owner.connected)
            return
        try:
            self._owner.connect_failed(self._outcome)
        except BaseException as exception:  # noqa: BLE001 - the loop goes on
            engine.complain(self._owner, self, exception)
