"""Patience: what happens when a client takes too long."""

from __future__ import annotations

from typing import Any

from torsion.logger import Logger
from torsion.protocols.policies import TimeoutMixin
from torsion.web.http.limits import BODY_PERIOD

__all__ = ["Patience"]

_log = Logger()


class Patience(TimeoutMixin):
    """The part of a channel that ends what lasts too long."""

    transport: Any
    requests: list[Any]
    receiving: bool
    abortTimeout: float | None = 15
    minBodyRate: float | None = None

    _in_head = False
    _gathers = False  # whether the body of a request comes in that is not made before it is complete
    _abortingCall: Any = None
    _requestCall: Any = None
    _idle_call_stopped = False
    _received: int
    _bodyPaused: bool
    _networkPaused: bool
    _rateCall: Any = None
    _counted: int | None = None  # how much of the body had come when this period began; None if it is not to count

    def getPeer(self) -> Any:
        """Return the address of the client."""
        raise NotImplementedError  # the channel, of which this is a part, has it

    def loseConnection(self) -> None:
        """Close the connection once all is sent that was written."""
        raise NotImplementedError  # the channel, of which this is a part, has it

    def abortConnection(self) -> None:
        """Close the connection at once."""
        raise NotImplementedError  # the channel, of which this is a part, has it

    def _refuse(self, code: int, why: str) -> None:
        raise NotImplementedError  # the channel, of which this is a part, has it

    def _start_timeout(self, period: float) -> None:
        usual = self.timeOut
        self.setTimeout(period)
        self.timeOut = usual
        self._idle_call_stopped = False

    def timeoutConnection(self) -> None:
        """Close the connection, and abort it if it has not closed :attr:`abortTimeout` seconds later."""
        _log.info("Timing out client: {peer}", peer=self.getPeer())
        if self.abortTimeout is not None:
            self._abortingCall = self.callLater(self.abortTimeout, self.forceAbortClient)
        if self._in_head or self.receiving or self._gathers:
            self._refuse(408, "it took too long")
        else:
            self.loseConnection()

    def _request_is_late(self) -> None:
        self._requestCall = None
        _log.info("Timing out the request of {peer}", peer=self.getPeer())
        if self.requests and getattr(self.requests[0], "startedWriting", False):
            self.abortConnection()
        else:
            self._refuse(503, "it took too long")

    def _watch_body(self) -> None:
        """See, from now on and as long as a body comes in, that it comes fast enough."""
        if self.minBodyRate is not None and self._rateCall is None:
            self._counted = self._received
            self._rateCall = self.callLater(BODY_PERIOD, self._look_at_rate)

    def _have_body(self) -> None:
        """See to nothing any more: the body has come."""
        self._gathers = False
        if self._rateCall is not None:
            self._rateCall.cancel()
            self._rateCall = None

    def _look_at_rate(self) -> None:
        self._rateCall = None
        if not (self.receiving or self._gathers) or self.minBodyRate is None:
            return
        if self.requests and getattr(self.requests[0], "_stream", None) is not None:
            self._counted = None  # the program sees how slowly it comes, and may want just that
        if self._counted is not None and self._received - self._counted < self.minBodyRate * BODY_PERIOD:
            _log.info("The body that {peer} sends comes too slowly", peer=self.getPeer())
            if self.requests or self._gathers:
                self._refuse(408, "the body came too slowly")
            else:  # it is answered already
                self.loseConnection()
            return
        self._watch_body()
        if self._bodyPaused or self._networkPaused:
            self._counted = None  # it is we who do not read

    def forceAbortClient(self) -> None:
        """Abort the connection: it was to be closed, and the client did not take what was left."""
        self._abortingCall = None
        _log.info("Forcibly timing out client: {peer}", peer=self.getPeer())
        self.transport.abortConnection()
