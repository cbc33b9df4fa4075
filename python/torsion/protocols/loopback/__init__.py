"""Two protocols that talk to each other within a program. For tests, mostly.

``memory`` bytes carried over by the reactor · ``sockets`` over TCP or a Unix socket · ``relay`` bytes carried over when
the test says so.
"""

from __future__ import annotations

from torsion.protocols.loopback.memory import collapsingPumpPolicy, identityPumpPolicy, loopbackAsync
from torsion.protocols.loopback.relay import LoopbackRelay
from torsion.protocols.loopback.sockets import LoopbackClientFactory, loopbackTCP, loopbackUNIX

__all__ = [
    "LoopbackClientFactory",
    "LoopbackRelay",
    "collapsingPumpPolicy",
    "identityPumpPolicy",
    "loopbackAsync",
    "loopbackTCP",
    "loopbackUNIX",
]
