"""Waiting until the connections of a port are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.defer import Deferred

if TYPE_CHECKING:
    from torsion.internet.transports.listener import BasePort

__all__ = ["drained"]


class _Draining:
    """Counts down the connections of one port, each of which the port is told the end of."""

    def __init__(self, engine: Any, port: BasePort) -> None:
        self._engine = engine
        self._port = port
        self._left = self._count()
        self._waiting: list[Deferred[None]] = []

    def wait(self) -> Deferred[None]:
        """Return a Deferred that fires when there are none."""
        deferred: Deferred[None] = Deferred(self._forget)
        if self._left:
            self._waiting.append(deferred)
            self._port.draining = self.gone
        else:
            deferred.callback(None)
        return deferred

    def _forget(self, deferred: Deferred[None]) -> None:
        self._waiting.remove(deferred)
        if not self._waiting:
            self._port.draining = None

    def _count(self) -> int:
        return len(self._engine.connections(self._port))

    def gone(self) -> None:
        """One of them is gone."""
        self._left -= 1
        if self._left <= 0:
            self._left = self._count()  # a port that listens has accepted others meanwhile
        if not self._left:
            self._port.draining = None
            waiting, self._waiting = self._waiting, []
            for deferred in waiting:
                deferred.callback(None)


def drained(engine: Any, port: BasePort) -> Deferred[None]:
    """Wait until no connection that a port has accepted is open any more: see ``IReactorInspection.drained``.

    :param engine: what serves the port.
    :param port: the port.
    """
    draining = getattr(port, "draining", None)  # a port of somebody else's making has accepted nothing here
    going_on = getattr(draining, "__self__", None)
    return (going_on or _Draining(engine, port)).wait()
