"""A state machine for streams: each state is a function, and how many bytes it is to be called with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsion.internet.protocol import Protocol

__all__ = ["StatefulProtocol"]

_State = tuple[Callable[[bytes], Any], int]


class StatefulProtocol(Protocol):
    """A protocol that reads so many bytes, then so many more, each time with a function of its own.

    A state is a pair of a function and a number. When so many bytes have come in, the function is called with them, and
    returns the next state, or None to stay in this one. Once the connection is closing, no function is called any more.
    """

    _state: _State
    _buffer: bytearray
    _busy = False

    def makeConnection(self, transport: Any) -> None:
        """Take the transport, and the initial state."""
        Protocol.makeConnection(self, transport)
        self._buffer = bytearray()
        self._state = self.getInitialState()

    def getInitialState(self) -> _State:
        """Return the state to begin with. Override this; it is called after ``connectionMade``.

        :raises NotImplementedError: here.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no getInitialState: return a function and a number of bytes"
        )

    def dataReceived(self, data: bytes) -> None:
        """Call the functions whose bytes have come in.

        :raises ValueError: if a state asks for fewer than no bytes.
        """
        buffer = self._buffer
        buffer += data
        if self._busy:
            return  # a function called this: the loop around it goes on with what is new
        self._busy = True
        start = 0
        try:
            while not self.transport.disconnecting:
                function, count = self._state
                if count < 0:
                    raise ValueError(f"{function!r} cannot be called with {count} bytes: give 0 or more")
                if len(buffer) - start < count:
                    break
                piece = bytes(buffer[start : start + count])
                start += count
                state = function(piece)
                if state is not None:
                    self._state = state
        finally:
            self._busy = False
            del buffer[:start]
