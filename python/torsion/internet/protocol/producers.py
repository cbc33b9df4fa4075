"""Producers between a protocol and a transport with TLS in the midst: both may want them to pause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.interfaces.producer import IPushProducer
from torsion.internet.task.cooperate import cooperate
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torsion.internet.task.cooperate import CooperativeTask

__all__ = ["ProducerMembrane", "PullToPush"]

_log = Logger()


@implementer(IPushProducer)
class ProducerMembrane:
    """Passes pauses and resumptions on to a push producer, and leaves out those that repeat the last one.

    TLS and the transport underneath do not know of each other's wishes; some producers take a second pause amiss.
    """

    def __init__(self, producer: Any) -> None:
        """Stand before *producer*."""
        self._producer = producer
        self._producerPaused = False

    def pauseProducing(self) -> None:
        """Have the producer pause, unless it does so already."""
        if not self._producerPaused:
            self._producerPaused = True
            self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        """Have the producer go on, unless it does so already."""
        if self._producerPaused:
            self._producerPaused = False
            self._producer.resumeProducing()

    def stopProducing(self) -> None:
        """Have the producer stop for good."""
        self._producer.stopProducing()


@implementer(IPushProducer)
class PullToPush:
    """Makes a push producer of a pull producer: asks it for data again and again, a bit in each turn of the reactor."""

    _finished = False

    def __init__(self, pullProducer: Any, consumer: Any) -> None:
        """Ask a producer for data.

        :param pullProducer: the producer.
        :param consumer: where it is registered; it is unregistered there if it raises.
        """
        self._producer = pullProducer
        self._consumer = consumer
        self._coopTask: CooperativeTask[None] | None = None

    def _pull(self) -> Iterator[None]:
        while True:
            try:
                self._producer.resumeProducing()
            except BaseException:  # noqa: BLE001 - it is the program's; it is logged, and costs the producer
                _log.failure("while calling resumeProducing on {producer!r}", producer=self._producer)
                try:
                    self._consumer.unregisterProducer()
                except BaseException:  # noqa: BLE001 - the same
                    _log.failure("while calling unregisterProducer on {consumer!r}", consumer=self._consumer)
                if not self._finished:  # who unregistered it has not told us
                    self._finished = True
                    return
            yield None

    def startStreaming(self) -> None:
        """Begin to ask."""
        self._coopTask = cooperate(self._pull())

    def stopStreaming(self) -> None:
        """Ask no more: the producer is unregistered, or the consumer is gone. May be called again."""
        if self._finished:
            return
        self._finished = True
        if self._coopTask is not None:
            self._coopTask.stop()

    def pauseProducing(self) -> None:
        """Do not ask for now."""
        if self._coopTask is not None and not self._finished:
            self._coopTask.pause()

    def resumeProducing(self) -> None:
        """Go on asking."""
        if self._coopTask is not None and not self._finished:
            self._coopTask.resume()

    def stopProducing(self) -> None:
        """Ask no more, and tell the producer to stop."""
        self.stopStreaming()
        self._producer.stopProducing()
