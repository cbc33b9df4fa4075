"""What comes in, given to the channel: natively, requests like most are answered before anything of the channel is called.

See ``rust/native/src/http1/receiver.rs``.
"""

from __future__ import annotations

from typing import Any

__all__ = ["HTTPReceiver"]


class HTTPReceiver:
    """The receiving half of a server's channel: one of its bases."""

    __slots__ = ()

    def dataReceived(self: Any, data: bytes) -> None:
        """Take bytes from the client."""
        self._take(data)
