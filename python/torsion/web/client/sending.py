"""A request's body on its way: what a producer writes, framed, as fast as the transport takes it."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from torsion.internet.defer import Deferred, maybeDeferred
from torsion.internet.interfaces import IConsumer, IPushProducer
from torsion.python.failure import Failure
from torsion.web.client._codec import HTTPWriter
from torsion.web.client.errors import WrongBodyLength

__all__ = ["Sending"]


@implementer(IConsumer, IPushProducer)
class Sending:
    """What a body's producer writes to.  It is what the transport pauses: the producer may not be known yet."""

    def __init__(self, transport: Any, writer: HTTPWriter, producer: Any) -> None:
        """Prepare.

        :param transport: where it goes to.
        :param writer: which has written the head.
        :param producer: the ``IBodyProducer``.
        """
        self._transport = transport
        self._writer = writer
        self._producer = producer
        self._done: Deferred[None] | None = None
        self._registered = False
        self.moved = False
        """Whether something was written since this was set to False."""

    def start(self) -> Deferred[None]:
        """Begin.

        :returns: a Deferred that fires once all is written; it fails as the producer does, or with
            :class:`WrongBodyLength`.  It never fires after :meth:`stop`.
        """
        done = self._done = Deferred()
        self._transport.registerProducer(self, True)
        self._registered = True
        maybeDeferred(self._producer.startProducing, self).addCallbacks(self._end, self._fail)
        return done

    def stop(self) -> None:
        """Have no more of it."""
        if self._done is not None:
            self._done = None
            self._release()
            self._producer.stopProducing()

    def _release(self) -> None:
        if self._registered:
            self._registered = False
            self._transport.unregisterProducer()

    def _end(self, _: object) -> None:
        done = self._done
        if done is None:
            return
        try:
            rest = self._writer.end()
        except ValueError as wrong:
            self._fail(Failure(WrongBodyLength(str(wrong))))
            return
        self._done = None
        if rest:
            self._transport.write(rest)
        self._release()
        done.callback(None)

    def _fail(self, reason: Failure) -> None:
        done, self._done = self._done, None
        if done is not None:
            self._release()
            done.errback(reason)

    # --- the producer's side -----------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send a part of the body."""
        if self._done is None:
            return  # a producer that goes on though it was stopped
        try:
            framed = self._writer.data(data)
        except ValueError as wrong:
            producer = self._producer
            self._fail(Failure(WrongBodyLength(str(wrong))))
            producer.stopProducing()
            return
        self.moved = True
        if framed:
            self._transport.write(framed)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Do nothing: the body's producer is known."""

    def unregisterProducer(self) -> None:
        """Do nothing."""

    # --- the transport's side ----------------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """Have the producer pause."""
        if self._done is not None:
            self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        """Have the producer go on."""
        if self._done is not None:
            self._producer.resumeProducing()

    def stopProducing(self) -> None:
        """Learn that the connection is lost: the connection knows as well, and calls :meth:`stop`."""
