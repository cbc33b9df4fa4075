"""The engine room of the receivers of lines, in Python.

Receivers use it with ``TORSION_PURE=1`` only; else its native twin, which does the same (``rust/native/src/lines.rs``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from torsion.wire import LimitExceeded
from torsion.wire.framing import LineFramer

__all__ = ["LineDelivery", "LineSender"]


class _Unconnected:
    """The transport of a protocol that has none: data may be fed to it all the same."""

    disconnecting: Final = False


_UNCONNECTED: Final = _Unconnected()
_NOTHING: Final[Iterator[bytes]] = iter(())
_SHORT: Final = 256  # data of so few bytes is a single line more often than not


class LineSender:
    """The sending half: a base of protocols that have a transport and a delimiter."""

    transport: Any
    delimiter: bytes

    def sendLine(self, line: bytes) -> None:
        """Send *line*, to which the delimiter is added; both leave in one piece."""
        # Joined first: for lines of the usual length that costs less than handing two pieces to the transport.
        self.transport.write(line + self.delimiter)


class LineDelivery:
    """The receiving half: cuts what a protocol is sent, keeps what is not delivered yet, and calls the hooks.

    A protocol is looked at anew for each line: hooks may change its ``delimiter``, ``MAX_LENGTH``, ``line_mode`` and
    ``paused``, and call all that is here.
    """

    __slots__ = ("_batch", "_busy", "_framer", "_rules")

    def __init__(self) -> None:
        self._framer = LineFramer()
        self._batch = _NOTHING  # lines that are cut off and not yet delivered; _NOTHING once it is exhausted
        self._rules: tuple[bytes, int] = b"", 0  # what they were cut by
        self._busy = False

    def deliver(self, protocol: Any, data: bytes, /) -> Any:
        """Deliver to a :class:`~torsion.protocols.basic.LineReceiver` what *data* completes; from a hook, keep it only.

        Returns what a hook returned, if that was true and delivery has stopped therefore, else None.
        """
        framer = self._framer
        if self._busy or protocol.paused:
            framer.hold(data)
            return None
        self._busy = True
        transport = _UNCONNECTED if protocol.transport is None else protocol.transport
        try:
            while not protocol.paused:
                if not protocol.line_mode:
                    if not (data := self.take_rest() + data):
                        return None
                    if why := protocol.rawDataReceived(data):
                        return why
                    data = b""
                    continue
                if self._batch is not _NOTHING:
                    framer.hold(data)
                    delimiter, longest = self._rules
                else:
                    delimiter = protocol.delimiter
                    longest = protocol.MAX_LENGTH
                    if delimiter and not framer.buffered and len(data) <= _SHORT <= longest and type(data) is bytes:
                        # One line and nothing else is what conversations are made of: it needs no batch.
                        line, end, rest = data.partition(delimiter)
                        if end and not rest:
                            if (why := protocol.lineReceived(line)) or not framer.more or transport.disconnecting:
                                return why or None
                            data = b""
                            continue
                    try:
                        self._batch = iter(framer.feed(data, delimiter, longest))
                        self._rules = delimiter, longest
                    except LimitExceeded:
                        if (why := protocol.lineLengthExceeded(framer.take_rest())) or transport.disconnecting:
                            return why or None
                data = b""
                for line in self._batch:
                    if protocol.delimiter is not delimiter or protocol.MAX_LENGTH is not longest:
                        framer.requeue([line, *self._batch])
                    elif (why := protocol.lineReceived(line)) or transport.disconnecting:
                        return why or None
                    elif protocol.paused or not protocol.line_mode:
                        break
                else:
                    self._batch = _NOTHING
                    if not framer.buffered:
                        return None
                    if not framer.more and protocol.delimiter is delimiter and protocol.MAX_LENGTH is longest:
                        return None
            return None
        finally:
            self._busy = False

    def deliver_only_lines(self, protocol: Any, data: bytes, /) -> Any:
        """Deliver to a :class:`~torsion.protocols.basic.LineOnlyReceiver` what *data* completes; from a hook, keep it only.

        Returns what ``lineLengthExceeded`` returned, if that was true and delivery has stopped therefore, else None.
        """
        framer = self._framer
        if self._busy:
            framer.hold(data)
            return None
        self._busy = True
        transport = _UNCONNECTED if protocol.transport is None else protocol.transport
        try:
            while not transport.disconnecting:
                if self._batch is not _NOTHING:
                    framer.hold(data)
                    delimiter, longest = self._rules
                else:
                    delimiter = protocol.delimiter
                    longest = protocol.MAX_LENGTH
                    try:
                        self._batch = iter(framer.feed(data, delimiter, longest))
                        self._rules = delimiter, longest
                    except LimitExceeded:
                        line, _, rest = framer.take_rest().partition(delimiter)
                        framer.hold(rest)
                        if why := protocol.lineLengthExceeded(line):
                            return why
                data = b""
                for line in self._batch:
                    if protocol.delimiter is not delimiter or protocol.MAX_LENGTH is not longest:
                        framer.requeue([line, *self._batch])
                        break
                    protocol.lineReceived(line)
                    if transport.disconnecting:
                        break
                else:
                    self._batch = _NOTHING
                    if not framer.buffered:
                        return None
                    if not framer.more and protocol.delimiter is delimiter and protocol.MAX_LENGTH is longest:
                        return None
            return None
        finally:
            self._busy = False

    def take_rest(self) -> bytes:
        """Return all that is not delivered yet, and forget it."""
        if self._batch is not _NOTHING:
            self._framer.requeue(list(self._batch))
            self._batch = _NOTHING
        return self._framer.take_rest()
