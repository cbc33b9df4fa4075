"""How much a client may ask of us."""

from __future__ import annotations

from typing import Final

__all__ = ["CONTROL", "HEADERS", "KEPT", "PERIOD", "RESETS", "STREAMS", "WINDOW"]

STREAMS: Final = 100
"""Requests under way at once: what RFC 9113, 6.5.2 recommends at least, and what browsers use."""

HEADERS: Final = 64 * 1024
"""Bytes of a request's headers, unpacked, with 32 for each of them: as for HTTP/1.1.  It is the end of HPACK bombs."""

PERIOD: Final = 10.0
"""Seconds in which the two below are counted."""

RESETS: Final = 200
"""Requests that a client may take back in :data:`PERIOD`: the attack "rapid reset" does so with millions, and browsers with
dozens, when a page is left."""

CONTROL: Final = 2000
"""Frames in :data:`PERIOD` that carry nothing: pings, settings, windows, empty data.  Each costs us an answer, or time."""

WINDOW: Final = 4 * 1024
"""Bytes of responses for which one window does not count as a frame that carries nothing.  Clients open their windows twice, for
a stream and for the connection, at each frame of 16 KiB or more rarely; who opens them by a few bytes has us send tiny frames."""

KEPT: Final = 64 * 1024
"""Bytes of a response that wait for the client's window before its producer is paused."""
