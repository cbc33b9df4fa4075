"""Flow control that receivers offer to their own code: stop delivering, and reading, until told otherwise."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any


class PauseableMixin:
    """A protocol that can be paused, from within its hooks as well: what has come in stays buffered."""

    transport: Any

    paused: bool = False
    """Whether nothing is delivered at the moment."""

    def pauseProducing(self) -> None:
        """Deliver nothing more, from the next message on, and stop reading from the transport."""
        self.paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again, and deliver what is buffered: before this returns, or if called from a hook, after that hook."""
        self.paused = False
        self.transport.resumeProducing()
        self.dataReceived(b"")

    def stopProducing(self) -> None:
        """Deliver nothing more and stop the transport for good."""
        self.paused = True
        self.transport.stopProducing()

    @abstractmethod
    def dataReceived(self, data: bytes) -> Any:
        """Take *data*; the receiver that this is mixed into does."""
