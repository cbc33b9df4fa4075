"""Policies for connections: what stands between a transport and a protocol, whatever the protocol is.

``wrapping`` (in ``torsion.internet.protocol``, since TLS wraps as well) · ``throttling`` bytes a second, connections at a
time · ``timeouts`` for idle connections · ``limits`` on connections in all and for each peer · ``tracing`` what goes
over a connection.
"""

from __future__ import annotations

from torsion.internet.protocol.wrapping import ProtocolWrapper, WrappingFactory
from torsion.protocols.policies.limits import LimitConnectionsByPeer, LimitTotalConnectionsFactory
from torsion.protocols.policies.throttling import ThrottlingFactory, ThrottlingProtocol
from torsion.protocols.policies.timeouts import TimeoutFactory, TimeoutMixin, TimeoutProtocol
from torsion.protocols.policies.tracing import (
    SpewingFactory,
    SpewingProtocol,
    TrafficLoggingFactory,
    TrafficLoggingProtocol,
)

__all__ = [
    "LimitConnectionsByPeer",
    "LimitTotalConnectionsFactory",
    "ProtocolWrapper",
    "SpewingFactory",
    "SpewingProtocol",
    "ThrottlingFactory",
    "ThrottlingProtocol",
    "TimeoutFactory",
    "TimeoutMixin",
    "TimeoutProtocol",
    "TrafficLoggingFactory",
    "TrafficLoggingProtocol",
    "WrappingFactory",
]
