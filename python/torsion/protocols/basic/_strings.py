"""How the receivers of counted strings deliver what their framer cuts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

from torsion.internet.protocol import Protocol
from torsion.protocols.basic._settings import settle
from torsion.wire import MAX_STRING, RemoteProtocolError
from torsion.wire.framing import NetstringFramer, PrefixFramer

F = TypeVar("F", PrefixFramer, NetstringFramer)

_NOTHING: Final[Iterator[bytes]] = iter(())


class StringReceiver(Protocol, Generic[F]):
    """What :class:`IntNStringReceiver` and :class:`NetstringReceiver` share; a subclass knows the framer."""

    MAX_LENGTH: int = MAX_STRING
    """The longest string, in bytes.  May be changed at any time; it holds for all that was not yet delivered."""

    paused: bool = False
    _framer: F | None = None
    _batch: Iterator[bytes] = _NOTHING  # strings that are cut off and not yet delivered; _NOTHING once it is exhausted
    _rule: int  # the limit that they keep
    _busy = False

    def stringReceived(self, string: bytes) -> Any:
        """Take one string, without what told its length.  Override this; what it returns has no meaning."""
        raise NotImplementedError(f"{type(self).__name__} must define stringReceived")

    def dataReceived(self, data: bytes) -> None:
        """Deliver the strings that *data* completes.  Called from within a hook, it buffers *data* only."""
        framer = self._framer
        if framer is None:
            settle(self, "MAX_LENGTH", "_batch", "_busy", "paused")
            self._framer = framer = self._begin()
        if self._busy or self.paused:
            framer.hold(data)
            return
        self._busy = True
        try:
            while not self.paused:
                if self._batch is not _NOTHING:
                    framer.hold(data)
                    longest = self._rule
                else:
                    longest = self._rule = self.MAX_LENGTH
                    try:
                        self._batch = iter(self._feed(framer, data))
                    except RemoteProtocolError as error:
                        self._refused(error)
                        return
                data = b""
                for string in self._batch:
                    if self.MAX_LENGTH is not longest:
                        framer.requeue([string, *self._batch])
                        break
                    self.stringReceived(string)
                    if self.paused:
                        break
                else:
                    self._batch = _NOTHING
                    if not framer.more:
                        return
        finally:
            self._busy = False

    @abstractmethod
    def _begin(self) -> F:
        """Return a new framer."""

    @abstractmethod
    def _feed(self, framer: F, data: bytes) -> list[bytes]:
        """Feed *framer* and return its batch."""

    @abstractmethod
    def _refused(self, error: RemoteProtocolError) -> None:
        """Deal with what the framer found wrong."""

    def _take_rest(self) -> bytes:
        """Return all that is not yet delivered, and forget it."""
        if self._framer is None:
            return b""
        self._framer.requeue(list(self._batch))
        return self._framer.take_rest()
