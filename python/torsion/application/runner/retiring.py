"""A run whose place another process has taken: it goes on with the connections that it has, and then ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.application.draining import closeListeners
from torsion.application.runner.ending import operates
from torsion.internet.defer import Deferred, DeferredList, maybeDeferred
from torsion.logger import Logger

if TYPE_CHECKING:
    from torsion.application.runner.run import Run

__all__ = ["retire"]

_log = Logger("torsion.application.runner")


def retire(run: Run) -> Deferred[None]:
    """Close what listens, serve the connections that were accepted until they end, then stop the run.

    Connections end when their peers are done with them, or when ``run.linger`` seconds are over, if that is not None: then, or
    when somebody stops the run, they are finished as in any stop.  Connections that the program has made itself are not waited
    for.

    :returns: a Deferred that fires when all services have stopped; it never fails.
    """
    return Deferred.fromCoroutine(_retire(run))


async def _retire(run: Run) -> None:
    reactor = run.reactor
    ports = [each.port for each in reactor.listeners()] if hasattr(reactor, "listeners") else []
    ports = [each for each in ports if not operates(each)]
    await closeListeners(run.service)
    for port in ports:  # those that no service knows of
        await maybeDeferred(port.stopListening).addErrback(
            lambda failure: _log.failure("A listener could not be closed", failure)
        )
    # It fires however they end, also when it is cancelled: somebody does not want to wait any longer.
    gone: Deferred[Any] = DeferredList([reactor.drained(port) for port in ports], consumeErrors=True)
    _log.info("Another process has taken over; going on with the connections that are open")
    run.onStop.append(gone.cancel)
    overdue = None if run.linger is None else reactor.callLater(run.linger, gone.cancel)
    await gone
    if overdue is not None and overdue.active():
        overdue.cancel()
    await run.stop()
