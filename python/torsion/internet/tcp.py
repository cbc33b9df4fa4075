"""TCP's transports, under the names that Twisted has for them.  Programs use ``reactor.listenTCP`` and endpoints.

There is one class for both ends of a connection; what Twisted derives from sockets in Python is native here.
"""

from __future__ import annotations

from errno import EAGAIN, EINPROGRESS, ENFILE, ENOMEM, EPERM, EWOULDBLOCK

from torsion.internet.interfaces import ITLSTransport
from torsion.internet.interfaces.binding import Binding
from torsion.internet.transports.connector import Connector
from torsion.internet.transports.listener import Port
from torsion.internet.transports.stream import TCPConnection

__all__ = [
    "EAGAIN",
    "EINPROGRESS",
    "ENFILE",
    "ENOMEM",
    "EPERM",
    "EWOULDBLOCK",
    "BaseClient",
    "Client",
    "Connection",
    "Connector",
    "ITLSTransport",
    "Port",
    "Server",
    "makeBinding",
]

BaseClient = Client = Connection = Server = TCPConnection


def makeBinding(interface: str = "", port: int = 0, reuseAddress: bool = False, reusePort: bool = False) -> Binding:
    """Describe the local end of a socket, for ``listenTCP`` and ``connectTCP``.

    :param interface: the numeric address; empty for all addresses.
    :param port: the port's number; 0 lets the system choose.
    :param reuseAddress: let the address be used again at once after its last user.
    :param reusePort: let several sockets share the port, among which the system divides connections.
    """
    return Binding(interface, port, reuseAddress, reusePort)
