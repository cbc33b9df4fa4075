"""UDP ports, by the names that Twisted's API has for them.

``reactor.listenUDP`` and ``reactor.listenMulticast`` make them; who makes one by hand calls ``startListening`` on it.
"""

from __future__ import annotations

from torsion.internet.transports.datagram import UDPPort as Port
from torsion.internet.transports.multicast import MulticastPort

__all__ = ["MulticastPort", "Port"]
