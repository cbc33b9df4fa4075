"""Turns: a client that asks much at once is answered by and by, and others in between."""

from __future__ import annotations

from typing import Any

from torsion.web.http.pressure import Pressure

__all__ = ["Turns"]


class Turns(Pressure):
    """The part of a channel that lets other connections have their turn.  How much one may do in a turn the reader tells."""

    _draining: bool
    _successor: Any

    _turn: Any = None  # when there is more to read, but it is the turn of others

    def _give_way(self) -> None:
        """Go on in the next turn of the reactor, if anything is to be read."""
        if self._closing or self._successor is not None or self.requests or self._waitingForTransport:
            return
        self._turn = self.callLater(0, self._have_turn)
        self._stop_reading()
        self._in_head = False
        if self.timeOut is not None:
            self._start_timeout(self.timeOut)

    def _have_turn(self) -> None:
        self._turn = None
        self._read()
        if self._draining and not (self.requests or self.receiving or self._gathers or self._closing or self._turn):
            self.loseConnection()
