"""Streams over pipes and terminals."""

from __future__ import annotations

from torsion._native import Stream

__all__ = ["PipeStream"]


class PipeStream(Stream):
    """Our end of a pipe, or of a terminal."""

    def stopConsuming(self) -> None:
        """Forget the producer and close; for a producer that has no more to give."""
        self.unregisterProducer()
        self.loseConnection()
