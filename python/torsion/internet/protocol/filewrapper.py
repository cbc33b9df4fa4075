"""A file in the place of a connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zope.interface import implementer

from torsion.internet.interfaces.core import IAddress
from torsion.internet.interfaces.stream import ITransport


@implementer(IAddress)
class _FileAddress:
    """Both ends of a transport that is a file."""

    def __repr__(self) -> str:
        return "<file>"


_HERE = _FileAddress()


@implementer(ITransport)
class FileWrapper:
    """A transport that writes to a file, at once and blocking.

    An error of the file's is caught and told to :meth:`handleException`, as a transport's ``write`` never raises for
    what happens at the other end.

    :param file: what to write to: anything with ``write`` and ``close``.
    """

    closed: bool | int = False
    """Whether the file was closed."""
    disconnecting: bool | int = False
    """Whether it is about to be closed: never, since closing does not have to wait."""
    producer: Any = None
    """The producer that is registered, or None."""
    streamingProducer: bool | int = False
    """Whether the producer is a push producer."""

    _pulling = False
    _written = False

    def __init__(self, file: Any) -> None:
        self.file = file

    def write(self, data: bytes) -> None:
        """Write *data* to the file."""
        try:
            self.file.write(data)
        except Exception:  # noqa: BLE001 - whatever the file raises, the hook is told
            self.handleException()
        self._written = True
        self._pull()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write several pieces of bytes in their order.

        :raises TypeError: if any of them is not bytes.
        """
        self.write(b"".join(iovec))

    def loseConnection(self) -> None:
        """Close the file."""
        self.closed = True
        try:
            self.file.close()
        except Exception:  # noqa: BLE001 - as in write
            self.handleException()

    def handleException(self) -> None:
        """Be told, inside the handler, of an exception that the file raised. Does nothing here."""

    def getPeer(self) -> IAddress:
        """Return an address that stands for any file."""
        return _HERE

    def getHost(self) -> IAddress:
        """Return an address that stands for any file."""
        return _HERE

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* write. A pull producer is asked until it unregisters, or makes nothing when it is asked.

        :param producer: told to stop at once if the file is closed.
        :param streaming: true for a push producer.
        """
        if self.closed:
            producer.stopProducing()
            return
        self.producer = producer
        self.streamingProducer = streaming
        self._written = True  # so that it is asked a first time
        self._pull()

    def _pull(self) -> None:
        """Ask a pull producer for as long as it answers, without a frame for each answer."""
        if self._pulling or self.streamingProducer:
            return
        self._pulling = True
        try:
            while self._written and self.producer is not None and not (self.streamingProducer or self.closed):
                self._written = False
                self.producer.resumeProducing()
        finally:
            self._pulling = False

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.producer = None

    def stopConsuming(self) -> None:
        """Forget the producer and close the file."""
        self.unregisterProducer()
        self.loseConnection()

    def pauseProducing(self) -> None:
        """Do nothing: a file sends nothing."""

    def resumeProducing(self) -> None:
        """Do nothing: a file sends nothing."""

    def stopProducing(self) -> None:
        """Close the file."""
        self.loseConnection()
