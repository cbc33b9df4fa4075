"""Back-pressure: a response whose client takes nothing has its producer wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.protocol.producers import PullToPush
from torsion.logger import Logger
from torsion.web.http2.limits import KEPT
from torsion.web.multiplex.waiting import Waiting

if TYPE_CHECKING:
    from torsion.python.failure import Failure
    from torsion.web.http2.connection import HTTP2Connection

__all__ = ["Pressure"]

_log = Logger()


class Pressure(Waiting):
    """The part of a stream that stands between its windows and the producer of its response."""

    connection: HTTP2Connection
    most_kept = KEPT
    _pull: Any = None

    def _flush(self) -> None:
        raise NotImplementedError  # the stream, of which this is a part, has it

    def loseConnection(self) -> None:
        """Break this request off; the others go on."""
        raise NotImplementedError  # the stream, of which this is a part, has it

    def _producer_failed(self, reason: Failure) -> None:
        _log.failure("{producer!r} has failed; its request is broken off", reason, producer=self._producer)
        self.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Have a producer write the response.

        :raises RuntimeError: if there is one already.
        """
        if self._producer is not None:
            raise RuntimeError(f"Cannot register {producer!r}: {self._producer!r} is registered")
        self._paused = False
        if not streaming:
            producer = self._pull = PullToPush(producer, self)
        self._producer = producer
        if self._pull is not None:
            self._pull.startStreaming()
        self._flush()

    def unregisterProducer(self) -> None:
        """Have no producer any more."""
        self._stop_pulling()
        self._producer = None

    def _stop_pulling(self) -> None:
        pull, self._pull = self._pull, None
        if pull is not None:
            pull.stopStreaming()
