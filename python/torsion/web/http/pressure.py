"""Back-pressure: a client that takes nothing holds the response back, a slow reader of a body the client."""

from __future__ import annotations

from typing import Any

from torsion.internet.protocol.producers import PullToPush
from torsion.logger import Logger
from torsion.web.http.limits import MOST_WAITING
from torsion.web.http.timeouts import Patience

__all__ = ["Pressure"]

_log = Logger()


class Pressure(Patience):
    """The part of a channel that stands between its transport and the producer of the response that is made."""

    _closing: bool
    _requestProducer: Any = None
    _requestProducerStreaming: Any = None
    _pull: Any = None
    _waitingForTransport = False
    _bodyPaused = False
    _networkPaused = False
    _turn: Any
    transport: Any

    def _heed_transport(self) -> None:
        """Be told by the transport when the client takes nothing."""
        make_room = getattr(self.transport, "set_high_water", None)  # those in memory have none
        if make_room is not None:
            make_room(MOST_WAITING)
        self.transport.registerProducer(self, True)

    def _read(self, found: Any = None) -> None:
        raise NotImplementedError  # the channel, of which this is a part, has it

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Have a producer write: the request's.

        :raises RuntimeError: if there is one already.
        """
        if self._requestProducer is not None:
            raise RuntimeError(
                f"Cannot register producer {producer!r}, because producer {self._requestProducer!r} was never unregistered."
            )
        if not streaming:
            producer = self._pull = PullToPush(producer, self)
        self._requestProducer = producer
        self._requestProducerStreaming = True
        if self._pull is not None:
            self._pull.startStreaming()
        if self._waitingForTransport:
            producer.pauseProducing()

    def unregisterProducer(self) -> None:
        """Have no producer any more."""
        if self._pull is not None:
            self._pull.stopStreaming()
            self._pull = None
        self._requestProducer = self._requestProducerStreaming = None

    def stopProducing(self) -> None:
        """Stop the request's producer: nothing can be sent any more."""
        producer, self._requestProducer = self._requestProducer, None
        if producer is not None:
            producer.stopProducing()

    def _let_producer_go(self) -> None:
        """Stop the request's producer, if the transport has not: it was to be told no more once we had closed the connection."""
        try:
            self.stopProducing()
        except Exception:  # noqa: BLE001 - the program's
            _log.failure("a producer could not be stopped")
        self.unregisterProducer()

    def pauseProducing(self) -> None:
        """Hold the request's producer back, and read nothing more: the client takes no more for now.

        It has as long as it has for anything else.
        """
        self._waitingForTransport = True
        self._counted = None  # what it sends is not read, either
        if self._requestProducer is not None:
            self._requestProducer.pauseProducing()
        if self.timeOut is not None and (self._idle_call_stopped or self.requests):
            self._start_timeout(self.timeOut)
        self._stop_reading()

    def resumeProducing(self) -> None:
        """Have the request's producer go on."""
        self._waitingForTransport = False
        if self._requestProducer is not None:
            self._requestProducer.resumeProducing()
        if not self._closing:
            self._read()
            if not self.requests and self._turn is None:
                self._let_read()

    def pauseBody(self) -> None:
        """Read no more of the body that comes in, for now: who reads it is slower than the client."""
        self._bodyPaused = True
        self._counted = None  # it is not the client that is slow
        self._stop_reading()

    def resumeBody(self) -> None:
        """Go on reading the body."""
        if self._bodyPaused:
            self._bodyPaused = False
            if not self._closing:
                self._read()

    def _stop_reading(self) -> None:
        if not self._networkPaused:
            self._networkPaused = True
            self.transport.pauseProducing()

    def _let_read(self) -> None:
        if self._networkPaused and not self._waitingForTransport and not self._closing:
            self._networkPaused = False
            self.transport.resumeProducing()
