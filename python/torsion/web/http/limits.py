"""How much a client may send, and how slowly, if the program says nothing else."""

from __future__ import annotations

from typing import Final

__all__ = ["BODY_PERIOD", "MIN_BODY_RATE", "MOST_STORED", "MOST_WAITING"]

MOST_STORED: Final = 1 << 30
"""A body that is stored for the program may have so many bytes.  Uploads of some hundred megabytes work without a setting, and
no single request fills the disk of a usual server.  It is this object that stands for "only what is stored": the same number
from somebody else is a limit for all bodies."""

MIN_BODY_RATE: Final = 500
"""So many bytes a second must come of a body: less than a modem of 1996 sent, and what mod_reqtimeout of Apache asks for.  A
client that sends a byte now and then, to have the server keep its request, is no other.  Bodies that a program streams are not
measured: it sees what comes."""

BODY_PERIOD: Final = 20.0
"""For so many seconds a body may come slower than that: long enough to get over what a mobile network loses."""

MOST_WAITING: Final = 128 * 1024
"""So many bytes may wait to be sent before the response is held back: twice what transports have, so that pages and files up
to there leave without a pause, which costs a fifth of what it takes to send a file of 100 KiB."""
