"""What the master and a worker say to each other: JSON lines over a socket pair, in both directions.

A line is an object.  ``{"id": 7, "ask": "reload", "with": {...}}`` asks for something, ``{"id": 7, "answer": ...}`` or
``{"id": 7, "error": "why not"}`` is what comes of it, and ``{"tell": "ready", "with": {...}}`` wants no answer.  Neither end
trusts the other to be well: lines and numbers of requests are bounded, each request has its time, and what cannot be
understood ends the channel, with a line in the log.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from torsion.internet.defer import Deferred, fail, maybeDeferred
from torsion.internet.error import ConnectionDone, ConnectionLost
from torsion.logger import Logger
from torsion.protocols.basic import LineOnlyReceiver
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torsion.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["LONGEST_LINE", "MOST_REQUESTS", "PATIENCE", "Channel", "ChannelLost", "Refused", "Unanswered"]

_log = Logger("torsion.application.workers")

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes in a line.  The longest is a worker's status: some ten thousand connections, at a few hundred bytes each."""

MOST_REQUESTS = 64
"""How many requests may be under way in each direction: many times what supervision asks for, and few enough that one end
which asks without end is stopped at once."""

PATIENCE = 10.0
"""Seconds until a request counts as unanswered, unless it says otherwise.  What is asked for is answered within one turn of
the reactor, but that turn may come late in a busy worker."""


class ChannelLost(Exception):
    """The other end is gone, or cannot be understood."""


class Refused(Exception):
    """The other end says why it did not do what was asked for."""


class Unanswered(Exception):
    """No answer came in time."""


Request: TypeAlias = "Callable[..., Any]"


class Channel(LineOnlyReceiver):
    """One end of the way between the master and a worker.

    :ivar requests: what the other end may ask for or tell, by its name: each is called with the ``with`` of the line as
        keyword arguments; what it returns, or what a Deferred that it returns fires with, is the answer.
    """

    delimiter = b"\n"
    MAX_LENGTH = LONGEST_LINE
    operating = True
    """That it is the command's own, and no connection of a service."""

    def __init__(
        self, clock: IReactorTime, name: str, requests: Mapping[str, Request], lost: Callable[[], object] | None = None
    ) -> None:
        """Make an end that is not connected yet.

        :param clock: keeps the time limits.
        :param name: what the other end is called in log lines and errors.
        :param requests: see above.
        :param lost: called once when the channel has ended, whichever end closed it.
        """
        self.name = name
        self.requests = requests
        self._clock = clock
        self._when_lost = lost
        self._last = 0
        self._waiting: dict[int, tuple[Deferred[Any], IDelayedCall]] = {}
        self._serving = 0

    # --- out ---------------------------------------------------------------------------------------------------------

    def ask(self, what: str, patience: float | None = None, **arguments: Any) -> Deferred[Any]:
        """Ask the other end for something.

        :param what: the name of the request.
        :param patience: how many seconds the answer may take; None for :data:`PATIENCE`.
        :param arguments: what it is called with; values that JSON knows.
        :returns: a Deferred that fires with the answer.  It fails with :class:`Refused`, :class:`Unanswered` or
            :class:`ChannelLost`.
        """
        if not self.connected:
            return fail(ChannelLost(f"{self.name} is not connected, and was not asked for {what!r}"))
        if len(self._waiting) >= MOST_REQUESTS:
            return fail(Refused(f"{MOST_REQUESTS} requests to {self.name} are unanswered; {what!r} is not sent"))
        self._last = number = self._last + 1
        limit = PATIENCE if patience is None else patience
        answered: Deferred[Any] = Deferred()
        self._waiting[number] = answered, self._clock.callLater(limit, self._give_up, number, what, limit)
        self._send({"id": number, "ask": what, "with": arguments})
        return answered

    def tell(self, what: str, **arguments: Any) -> None:
        """Tell the other end something; nothing happens if it is gone."""
        if self.connected:
            self._send({"tell": what, "with": arguments})

    def _send(self, line: dict[str, Any]) -> None:
        self.sendLine(json.dumps(line, separators=(",", ":")).encode())

    def _give_up(self, number: int, what: str, limit: float) -> None:
        answered, _ = self._waiting.pop(number)
        answered.errback(Unanswered(f"{self.name} did not answer {what!r} within {limit:g} seconds"))

    # --- in ----------------------------------------------------------------------------------------------------------

    def lineReceived(self, line: bytes) -> None:
        """Take a line: a request, an answer, or something that is told."""
        try:
            message = json.loads(line)
            if not isinstance(message, dict):
                raise TypeError("not an object")
            number, arguments = message.get("id"), message.get("with", {})
            if not isinstance(arguments, dict) or not (number is None or type(number) is int):
                raise TypeError("an id is a number, and what goes with a request an object")
        except (ValueError, TypeError, RecursionError) as problem:
            self._refuse_line(line, str(problem))
            return
        if "ask" in message:
            self._asked(number, message["ask"], arguments)
        elif "tell" in message:
            self._told(message["tell"], arguments)
        elif number in self._waiting:
            answered, limit = self._waiting.pop(number)
            limit.cancel()
            if "error" in message:
                answered.errback(Refused(str(message["error"])))
            else:
                answered.callback(message.get("answer"))
        # Else it is an answer that comes too late: whoever asked has been told.

    def lineLengthExceeded(self, line: bytes) -> None:
        """End the channel: whoever sends such lines is not one of ours any more."""
        self._refuse_line(line, f"longer than {LONGEST_LINE} bytes")

    def _refuse_line(self, line: bytes, why: str) -> None:
        _log.error("{name} sent a line that is no message ({why}): {line!r}", name=self.name, why=why, line=line[:80])
        self.transport.abortConnection()

    def _told(self, what: object, arguments: dict[str, Any]) -> None:
        handler = self.requests.get(what) if isinstance(what, str) else None
        if handler is None:
            _log.warn("{name} told {what!r}, which says nothing to this version", name=self.name, what=what)
            return
        maybeDeferred(handler, **arguments).addErrback(self._broken, what)

    def _asked(self, number: int | None, what: object, arguments: dict[str, Any]) -> None:
        handler = self.requests.get(what) if isinstance(what, str) else None
        if handler is None:
            self._send({"id": number, "error": f"{what!r} is no request that is known here"})
        elif self._serving >= MOST_REQUESTS:
            self._send({"id": number, "error": f"{MOST_REQUESTS} requests are under way; ask again later"})
        else:
            self._serving += 1
            maybeDeferred(handler, **arguments).addCallbacks(
                self._answer, self._answer_error, callbackArgs=(number,), errbackArgs=(number, what)
            )

    def _answer(self, result: Any, number: int | None) -> None:
        self._serving -= 1
        if not self.connected:
            return
        try:
            line = json.dumps({"id": number, "answer": result}, separators=(",", ":")).encode()
        except (TypeError, ValueError, RecursionError) as problem:
            self._send({"id": number, "error": f"the answer cannot be told as JSON: {problem}"})
            return
        if len(line) > LONGEST_LINE:
            self._send({"id": number, "error": f"the answer has {len(line)} bytes, and {LONGEST_LINE} is the most"})
            return
        self.sendLine(line)

    def _answer_error(self, reason: Failure, number: int | None, what: object) -> None:
        self._serving -= 1
        if not reason.check(Refused):
            self._broken(reason, what)
        if self.connected:
            self._send({"id": number, "error": reason.getErrorMessage() or reason.type.__name__})

    def _broken(self, reason: Failure, what: object) -> None:
        _log.failure("{what!r} of {name} failed", reason, what=what, name=self.name)

    # --- the end -----------------------------------------------------------------------------------------------------

    def connectionLost(self, reason: Failure | None = None) -> None:
        """All that is unanswered fails, and *lost* is called."""
        super().connectionLost(Failure(ConnectionDone()) if reason is None else reason)
        self.connected = False
        waiting, self._waiting = self._waiting, {}
        for answered, limit in waiting.values():
            limit.cancel()
            answered.errback(ChannelLost(f"{self.name} is gone"))
        lost, self._when_lost = self._when_lost, None
        if lost is not None:
            lost()
        if reason is not None and not reason.check(ConnectionDone, ConnectionLost):
            _log.info("The channel to {name} has ended: {reason}", name=self.name, reason=reason.getErrorMessage())

    def close(self) -> None:
        """End the channel; what was sent is delivered first."""
        if self.connected:
            self.transport.loseConnection()
