"""How much a client may ask of us."""

from __future__ import annotations

from typing import Final

from torsion.web.multiplex.counting import CONTROL, PAID, PERIOD, RESETS, TAKEN
from torsion.web.multiplex.frames import HEADERS

__all__ = [
    "BODY_PERIOD",
    "CONTROL",
    "DRAIN",
    "FRAME",
    "GRANT",
    "HEADERS",
    "HELD_IN_ALL",
    "KEPT",
    "KEPT_IN_ALL",
    "PAID",
    "PERIOD",
    "RESETS",
    "STEP",
    "STREAMS",
    "TABLE",
    "TAKEN",
    "WINDOW",
    "WINDOW_OF_ALL",
]

STREAMS: Final = 100
"""Requests under way at once: what RFC 9113, 6.5.2 recommends at least, and what browsers use."""

TABLE: Final = 4096
"""Bytes of headers that we remember for a client so as to send them shorter the next time (HPACK).  It is what all begin with; a
client may allow more, which would be our memory."""

WINDOW: Final = 256 * 1024
"""Bytes of a request's body that a client may send before the resource has taken some: at 50 ms to the client and back, uploads
go at 5 MB a second."""

WINDOW_OF_ALL: Final = 1024 * 1024
"""The same for all requests of a connection together, while their bodies are taken."""

HELD_IN_ALL: Final = 8 * 1024 * 1024
"""Bytes of all bodies of a connection that resources have paused, for which the connection's window is given back all the same, so
that these bodies do not hold up others: 32 whole windows.  With the window of all, so much memory can a client use up."""

GRANT: Final = 32 * 1024
"""Bytes of bodies that were taken before a client is told that it may send as many more: half of what it may have sent before it
knows our windows."""

FRAME: Final = 64 * 1024
"""Bytes of a response in one frame at most, though the client may take larger ones: the others are to have their turn."""

KEPT: Final = 64 * 1024
"""Bytes of a response that wait for the client's window before its producer is paused."""

KEPT_IN_ALL: Final = 8 * 1024 * 1024
"""Bytes of all responses of a connection that wait for the client before its further requests do so, too: resources return whole
answers, and a client could ask for a hundred large ones and take none.  Pages of 80 KB, a hundred at once, are within it."""

STEP: Final = 1024
"""Bytes of a response that a client must take in the time that it has (``timeOut``), if there are so many: it can open its window
by one byte at a time, and hold a response for years."""

DRAIN: Final = 1.0
"""Seconds for which requests that were under way to us are still taken when a connection is to end, if the client does not answer
the ping that tells how long that is: RFC 9113, 6.8."""

BODY_PERIOD: Final = 20.0
"""Seconds for which a body may come slower than the channel's ``minBodyRate`` allows, as for HTTP/1.1: long enough to get over what
a mobile network loses."""
