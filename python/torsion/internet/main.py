"""Installing the process's default reactor, and two exceptions that say how a connection ended."""

from __future__ import annotations

from torsion.internet.error import ConnectionDone, ConnectionLost
from torsion.internet.reactors.choose import installReactor

__all__ = ["CONNECTION_DONE", "CONNECTION_LOST", "installReactor"]

CONNECTION_DONE = ConnectionDone("Connection done")
"""What a descriptor's ``doRead`` returns when its peer has closed in order."""

CONNECTION_LOST = ConnectionLost("Connection lost")
"""What a descriptor's ``doRead`` or ``doWrite`` returns when its connection broke."""
