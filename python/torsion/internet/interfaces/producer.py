"""Flow control: who makes data, who takes it, and how the one slows down the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from typing import Any


class IProducer(Interface):
    """Something that makes data for a consumer.

    Not to be provided as it is: a producer is either an :class:`IPushProducer` or an :class:`IPullProducer`.
    """

    def stopProducing() -> None:
        """Stop for good: the consumer wants no more and drops whatever came now.

        Called at most once, for instance because the connection is lost. The producer should let go of its resources.
        """


class IPullProducer(IProducer):
    """A producer that makes one piece of data each time it is asked.

    Registered with ``streaming`` false. The consumer asks whenever it has room, so the producer never has to wait.
    """

    def resumeProducing() -> None:
        """Make one piece of data and write it to the consumer, once.

        When nothing is left, call the consumer's ``unregisterProducer`` instead of writing.
        """


class IPushProducer(IProducer):
    """A producer that makes data on its own until it is told to pause.

    Registered with ``streaming`` true. It begins in the producing state.
    """

    def pauseProducing() -> None:
        """Make no data until :meth:`resumeProducing`; the consumer's buffer is full.

        What is under way may still be written. Called again while paused, it changes nothing.
        """

    def resumeProducing() -> None:
        """Go on making data; the consumer has room again. Called while producing, it changes nothing."""


class IConsumer(Interface):
    """Something that takes data from one producer at a time."""

    def registerProducer(producer: Any, streaming: bool) -> None:
        """Let *producer* know from now on when to write.

        :param producer: an :class:`IPushProducer` or an :class:`IPullProducer`; its ``stopProducing`` is called at
            once if the consumer is closed already.
        :param streaming: true for a push producer, false for a pull producer, which is then asked for its first piece.
        :raises RuntimeError: if another producer is registered.
        """

    def unregisterProducer() -> None:
        """Forget the producer, which has nothing more to write. A closing that waited for it goes on."""

    def write(data: bytes) -> None:
        """Take *data*, without blocking. A consumer that has too much of it calls the producer's ``pauseProducing``."""
