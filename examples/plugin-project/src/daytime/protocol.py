"""What is said on a connection: the time, and no more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from torsion.internet.protocol import Factory, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Daytime", "DaytimeFactory"]


class Daytime(Protocol):
    """Tells the time, and closes."""

    factory: DaytimeFactory
    transport: Any

    def connectionMade(self) -> None:
        """Somebody has come."""
        self.transport.write(f"{self.factory.now():%Y-%m-%d %H:%M:%S %Z}\r\n".encode())
        self.transport.loseConnection()


class DaytimeFactory(Factory[Daytime]):
    """Knows the time.

    :ivar now: returns it; a test sets another.
    """

    protocol = Daytime

    def __init__(self, utc: bool = False) -> None:
        """Have the time told.

        :param utc: whether it is UTC, and not that of this place.
        """
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC) if utc else datetime.now(UTC).astimezone()
