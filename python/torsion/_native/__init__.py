"""The border: everything that comes from Rust, and nothing else.

The contract, typed and documented, is in ``_core.pyi``.
"""

from torsion._native._core import (
    REASON_ABORTED,
    REASON_DONE,
    REASON_LOST,
    REASON_OVERRUN,
    REASON_RAISED,
    REASON_TLS,
    Bypass,
    Connector,
    Datagram,
    Engine,
    LineDelivery,
    LineSender,
    Listener,
    Stream,
    Timer,
    TLSContext,
    Watch,
    spawn,
)

__all__ = [
    "REASON_ABORTED",
    "REASON_DONE",
    "REASON_LOST",
    "REASON_OVERRUN",
    "REASON_RAISED",
    "REASON_TLS",
    "Bypass",
    "Connector",
    "Datagram",
    "Engine",
    "LineDelivery",
    "LineSender",
    "Listener",
    "Stream",
    "TLSContext",
    "Timer",
    "Watch",
    "spawn",
]
