"""How much a server may ask of us, and we of it."""

from __future__ import annotations

from typing import Final

__all__ = ["CONNECTION_WINDOW", "CONTROL", "HEADERS", "KEPT", "PERIOD", "STREAMS", "WINDOW"]

STREAMS: Final = 100
"""Requests under way at once on one connection, if the server allows as many: what RFC 9113, 6.5.2 says that servers should
allow at least.  Further requests wait for their turn."""

WINDOW: Final = 1024 * 1024
"""Bytes of one response that may be on their way, or wait here for who reads it slowly.  With 50 ms to the server that is
20 MB a second; the memory for all requests at once is :data:`STREAMS` times this."""

CONNECTION_WINDOW: Final = 16 * 1024 * 1024
"""Bytes of all responses together that may be on their way.  It is given back as they come, so that a response which nobody
reads does not hold the others up: what it may use is its own window."""

HEADERS: Final = 64 * 1024
"""Bytes of a response's headers, unpacked, with 32 for each of them: as for HTTP/1.1.  It is the end of HPACK bombs."""

KEPT: Final = 64 * 1024
"""Bytes of a request's body that wait for the server's window before its producer is paused."""

PERIOD: Final = 10.0
"""Seconds in which the next one is counted."""

CONTROL: Final = 2000
"""Frames in :data:`PERIOD` that carry nothing: pings, settings, empty data, frames of unknown types, windows beyond what was
sent.  Each costs us an answer, or time."""

PAID: Final = 4 * 1024
"""Bytes of bodies that we sent for which one window of the server does not count as a frame that carries nothing."""
