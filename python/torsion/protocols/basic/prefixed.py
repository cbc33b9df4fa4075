"""Receivers of strings that carry their length in front, as a number of one, two or four bytes."""

from __future__ import annotations

from functools import lru_cache
from struct import Struct

from torsion.protocols.basic._pausing import PauseableMixin
from torsion.protocols.basic._strings import StringReceiver
from torsion.wire import LimitExceeded, RemoteProtocolError
from torsion.wire.framing import PrefixFramer

__all__ = [
    "Int8StringReceiver",
    "Int16StringReceiver",
    "Int32StringReceiver",
    "IntNStringReceiver",
    "StringTooLongError",
]

_compiled = lru_cache(maxsize=32)(Struct)


class StringTooLongError(AssertionError):
    """A string is too long for its length to be written in the prefix."""


class IntNStringReceiver(StringReceiver[PrefixFramer], PauseableMixin):
    """Receives strings with their length in front.  Use one of the subclasses, or set both attributes below.

    Override :meth:`stringReceived`.  Hooks may pause, change :attr:`MAX_LENGTH` and :attr:`recvd`, and feed more data:
    it holds from the next string on, also when that came in together with this one.
    """

    structFormat: str
    """How a length is written, in the words of :mod:`struct`: one unsigned number."""

    prefixLength: int
    """How many bytes that takes."""

    @property
    def recvd(self) -> bytes:
        """What has come in and was not delivered yet.  Assign to it to have other bytes taken for it."""
        rest = self._take_rest()
        self.recvd = rest
        return rest

    @recvd.setter
    def recvd(self, data: bytes) -> None:
        self._take_rest()
        if self._framer is None:
            self._framer = self._begin()
        self._framer.hold(data)

    def sendString(self, string: bytes) -> None:
        """Send *string* with its length in front.  Raises :class:`StringTooLongError` if that has no room for it."""
        if len(string) >= 1 << 8 * self.prefixLength:
            raise StringTooLongError(
                f"cannot send {len(string)} bytes: a prefix of {self.prefixLength} bytes counts to"
                f" {(1 << 8 * self.prefixLength) - 1}; send it in parts, or use a wider prefix on both sides"
            )
        self.transport.write(_compiled(self.structFormat).pack(len(string)) + string)

    def lengthLimitExceeded(self, length: int) -> None:
        """Be told of a string that is longer than :attr:`MAX_LENGTH`.  Closes the connection, unless overridden.

        :attr:`recvd` then begins with that string's prefix; it is looked at again when more data comes in.
        """
        self.transport.loseConnection()

    def _begin(self) -> PrefixFramer:
        return PrefixFramer()

    def _feed(self, framer: PrefixFramer, data: bytes) -> list[bytes]:
        return framer.feed(data, _compiled(self.structFormat), self.MAX_LENGTH)

    def _refused(self, error: RemoteProtocolError) -> None:
        assert isinstance(error, LimitExceeded)
        self.lengthLimitExceeded(error.size)


class Int32StringReceiver(IntNStringReceiver):
    """Receives strings with their length in front, in four bytes, most significant first."""

    structFormat = "!I"
    prefixLength = 4


class Int16StringReceiver(IntNStringReceiver):
    """Receives strings with their length in front, in two bytes, most significant first."""

    structFormat = "!H"
    prefixLength = 2


class Int8StringReceiver(IntNStringReceiver):
    """Receives strings with their length in front, in one byte."""

    structFormat = "!B"
    prefixLength = 1
