"""Receivers of lines: what is a line, and what may be done when one arrives.  How it gets there is in ``_delivery``."""

from __future__ import annotations

from typing import Any

from torsion.internet.protocol import Protocol
from torsion.protocols.basic._pausing import PauseableMixin
from torsion.protocols.basic._twins import LineDelivery, LineSender
from torsion.wire import MAX_LINE

__all__ = ["LineOnlyReceiver", "LineReceiver"]


class _Lines(Protocol, LineSender):
    """What both receivers share."""

    delimiter: bytes = b"\r\n"
    """What ends a line, one byte or more.  May be changed at any time; it holds for all that was not yet delivered."""

    MAX_LENGTH: int = MAX_LINE
    """The longest line, in bytes and without its delimiter.  May be changed as the delimiter may."""

    _delivery: LineDelivery | None = None

    def makeConnection(self, transport: Any) -> None:
        """Take the transport, then call :meth:`connectionMade`."""
        # From the start an attribute of its own: one that instances get late, when there are many of them, makes
        # Python 3.11 and 3.12 keep the attributes of each in a dictionary, which is larger and slower.
        self._delivery = self._delivery
        super().makeConnection(transport)

    def lineReceived(self, line: bytes) -> Any:
        """Take one line, without its delimiter.  Override this."""
        raise NotImplementedError(f"{type(self).__name__} must define lineReceived")

    def lineLengthExceeded(self, line: bytes) -> Any:
        """Be told of a line longer than :attr:`MAX_LENGTH`.  Closes the connection, unless overridden."""
        self.transport.loseConnection()

    def _begin(self) -> LineDelivery:
        """Make ready for the first data."""
        self._delivery = delivery = LineDelivery()
        return delivery


class LineReceiver(_Lines, PauseableMixin):
    """Receives lines and, where the protocol has such stretches, raw data between them.

    Override :meth:`lineReceived`, and :meth:`rawDataReceived` if you call :meth:`setRawMode`.  Hooks may switch modes,
    pause, change :attr:`delimiter` and :attr:`MAX_LENGTH`, and feed more data: it holds from the next line on, also when
    that came in together with this one.  After a hook that called ``transport.loseConnection()`` nothing is delivered
    any more of what has come in.
    """

    line_mode: bool | int = 1
    """Whether what comes in is delivered as lines; otherwise it is raw data."""

    def dataReceived(self, data: bytes) -> Any:
        """Deliver the lines, or the raw data, that *data* completes.  Called from within a hook, it buffers *data* only.

        Returns None, or what a hook returned that was true: delivery has stopped there, and goes on with the next call.
        """
        return (self._delivery or self._begin()).deliver(self, data)

    def rawDataReceived(self, data: bytes) -> Any:
        """Take *data* that came in while in raw mode, cut anywhere.  Override this if :meth:`setRawMode` is called.

        Where a line begins in the middle of *data*, give the rest of it to :meth:`setLineMode`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define rawDataReceived, as it calls setRawMode")

    def setRawMode(self) -> None:
        """Deliver what comes in from here on by :meth:`rawDataReceived`, what is buffered included."""
        self.line_mode = 0

    def setLineMode(self, extra: bytes = b"") -> Any:
        """Deliver lines from here on; *extra* is the part of the raw data that belongs to them.

        Returns what :meth:`dataReceived` returns for *extra*, or None.
        """
        self.line_mode = 1
        if extra:
            return self.dataReceived(extra)
        return None

    def clearLineBuffer(self) -> bytes:
        """Forget all that is buffered, and return it.  From within a hook this is what came in after the hook's line."""
        return b"" if self._delivery is None else self._delivery.take_rest()


class LineOnlyReceiver(_Lines):
    """Receives lines and nothing else: no raw data, no pausing.

    Override :meth:`lineReceived`; what it returns has no meaning.
    """

    def dataReceived(self, data: bytes) -> Any:
        """Deliver the lines that *data* completes; nothing any more once the transport is closing.

        Called from within a hook, it buffers *data* only.  Returns None, or what :meth:`lineLengthExceeded` returned if
        that was true; delivery has stopped there, and goes on with the next call.
        """
        return (self._delivery or self._begin()).deliver_only_lines(self, data)
