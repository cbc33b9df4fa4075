"""How much a server may ask of us, and we of it."""

from __future__ import annotations

from typing import Final

__all__ = ["CONNECTION_WINDOW", "HEADERS", "KEPT", "PROBE", "QUIET", "STREAMS", "TABLE", "WINDOW"]

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

QUIET: Final = 10.0
"""Seconds in which nothing has come, after which a server is asked whether it is there (PING) together with the next request: what
is between may have forgotten an idle connection, and says nothing."""

PROBE: Final = 10.0
"""Seconds in which a server must say something then, or the connection is given up: all that is needed is the way there and back."""

TABLE: Final = 4096
"""Bytes of headers that we remember for a server so as to send them shorter the next time (HPACK).  It is what all begin with; a
server may allow more, which would be our memory."""
