"""Unix sockets' transports, under the names that Twisted has for them.  Programs use ``reactor.listenUNIX``,
``listenUNIXDatagram`` and endpoints.
"""

from __future__ import annotations

from torsion.internet.transports.unix import Connector, Port
from torsion.internet.transports.unixdatagram import ConnectedUNIXDatagramPort as ConnectedDatagramPort
from torsion.internet.transports.unixdatagram import UNIXDatagramPort as DatagramPort
from torsion.internet.transports.unixstream import UNIXClient as Client
from torsion.internet.transports.unixstream import UNIXServer as Server

__all__ = ["Client", "ConnectedDatagramPort", "Connector", "DatagramPort", "Port", "Server"]
