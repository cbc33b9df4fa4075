"""Codecs: bytes to events and back, and nothing else.  No socket, clock, thread, logger or interface in here.

``_base`` the contract of a codec, the errors, the limits · ``framing`` lines and counted strings, in batches ·
``haproxy`` the PROXY protocol · ``http1`` HTTP/1.1 · ``socks`` SOCKS 4 and 4a.

Every codec obeys one set of laws: the same bytes mean the same events however they are cut; any bytes give events or a
:class:`RemoteProtocolError`; what is buffered stays within a limit, an unfinished message included.
"""

from __future__ import annotations

from torsion.wire._base import (
    MAX_LINE,
    MAX_STRING,
    NEED_DATA,
    PAUSED,
    Buffer,
    Codec,
    LimitExceeded,
    LocalProtocolError,
    NoEvent,
    ProtocolError,
    RemoteProtocolError,
)

__all__ = [
    "MAX_LINE",
    "MAX_STRING",
    "NEED_DATA",
    "PAUSED",
    "Buffer",
    "Codec",
    "LimitExceeded",
    "LocalProtocolError",
    "NoEvent",
    "ProtocolError",
    "RemoteProtocolError",
]
