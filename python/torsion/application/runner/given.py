"""Sockets that this process was given, for several that are to serve them: its workers, or its threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.application.workers.sockets import Shared, Wanted, listen
from torsion.internet.interfaces.handover import ListeningAddress

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.application.runner.run import Run

__all__ = ["shared_with"]


def shared_with(run: Run) -> Callable[[Wanted, int], Shared]:
    """Return what makes sockets for several: one for all of them if the reactor's ``sockets`` have it, as those of systemd; or new ones."""
    given = run.reactor.sockets

    def make(wanted: Wanted, number: int) -> Shared:
        address = ListeningAddress(*wanted[:3])
        taken = None if given is None else given.take(address, wanted)
        if taken is None:
            return listen(wanted, number)
        if run.worker is not None:
            given.opened(address, wanted)  # so that the next one at the same address is another
        return Shared([taken])

    return make
