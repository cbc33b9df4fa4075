"""A whole program as one function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NoReturn

from torsion.internet import _current
from torsion.internet.defer import Deferred, ensureDeferred
from torsion.internet.error import ReactorNotRunning
from torsion.logger import Logger
from torsion.python.failure import Failure

__all__ = ["react"]

_log = Logger("torsion.internet.task")


def react(
    main: Callable[..., Deferred[Any] | Coroutine[Deferred[Any], Any, Any]],
    argv: Iterable[object] = (),
    _reactor: Any = None,
) -> NoReturn:
    """Run the reactor until *main* has come to its end, then leave the process.

    The exit status is 0, or 1 if *main* failed, which is logged; for a ``SystemExit`` it is the code of that.  It is 0
    as well if the reactor is stopped by something else before the end.

    :param main: called with the reactor and *argv*; an async function, or one that returns a Deferred.
    :param argv: the arguments.
    :param _reactor: the reactor to run; None for the current one.
    :raises SystemExit: always.
    """
    reactor = _current.current_reactor() if _reactor is None else _reactor
    code: Any = 0
    stopping = False

    def note_shutdown() -> None:
        nonlocal stopping
        stopping = True

    def conclude(result: object) -> None:
        nonlocal code
        if not stopping:
            try:
                reactor.stop()
            except ReactorNotRunning:
                pass
        if isinstance(result, Failure):
            if result.check(SystemExit):
                code = getattr(result.value, "code", None)
            else:
                _log.failure("main function encountered error", result)
                code = 1

    def finished(result: object) -> None:
        if stopping:
            conclude(result)
        else:
            # It may be over before the reactor runs, and then there is nothing to be stopped yet.
            reactor.callWhenRunning(conclude, result)

    done = ensureDeferred(main(reactor, *argv))
    reactor.addSystemEventTrigger("before", "shutdown", note_shutdown)
    done.addBoth(finished)
    reactor.run()
    sys.exit(code)
