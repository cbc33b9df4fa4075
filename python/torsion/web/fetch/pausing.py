"""What producers that are coroutines have in common: they wait while they are paused."""

from __future__ import annotations

from torsion.internet.defer import Deferred

__all__ = ["Pausing"]


class Pausing:
    """Can be paused, and stopped."""

    def __init__(self) -> None:
        self._going: Deferred[None] | None = None  # fires when it may go on, while it is paused
        self._stopped = False

    async def turn(self) -> None:
        """Wait, if it is paused."""
        if self._stopped:
            await Deferred()  # who stopped this is told nothing more
        if self._going is not None:
            await self._going
            if self._stopped:
                await Deferred()

    def pauseProducing(self) -> None:
        """Take no more for now."""
        if self._going is None:
            self._going = Deferred()

    def resumeProducing(self) -> None:
        """Take more."""
        going, self._going = self._going, None
        if going is not None:
            going.callback(None)

    def stopProducing(self) -> None:
        """Take no more."""
        self._stopped = True
        self.resumeProducing()
