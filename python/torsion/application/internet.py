"""Services that listen and connect, and services that do something again and again.

For servers take :class:`StreamServerEndpointService`, or :func:`torsion.application.strports.service`, which makes one of a
description; for clients :class:`ClientService`.  Those named after a transport, such as :class:`TCPServer`, call the reactor's
method of that name, and are all there is for datagrams.
"""

from torsion.application.backoff import backoffPolicy
from torsion.application.clientservice import ClientService
from torsion.application.endpointservice import StreamServerEndpointService
from torsion.application.repeating import CooperatorService, TimerService
from torsion.application.transports import (
    MulticastServer,
    SSLClient,
    SSLServer,
    TCPClient,
    TCPServer,
    UDPServer,
    UNIXClient,
    UNIXDatagramClient,
    UNIXDatagramServer,
    UNIXServer,
)

__all__ = [
    "ClientService",
    "CooperatorService",
    "MulticastServer",
    "SSLClient",
    "SSLServer",
    "StreamServerEndpointService",
    "TCPClient",
    "TCPServer",
    "TimerService",
    "UDPServer",
    "UNIXClient",
    "UNIXDatagramClient",
    "UNIXDatagramServer",
    "UNIXServer",
    "backoffPolicy",
]

for _name in __all__:
    globals()[_name].__module__ = __name__  # where they are to be imported from, as a repr or a traceback shows it
del _name
