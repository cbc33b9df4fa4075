"""Places to listen at and to connect to, as objects and as strings.

``tcp`` one address · ``hostname`` a host by name, its addresses ``racing`` · ``unix`` · ``ssl`` TLS by the reactor, ``tls``
over any endpoint · ``process`` a program · ``stdio`` · ``adopted`` a descriptor · ``wrapping`` a factory in between.
``parse`` strings, by their ``grammar``; ``servers`` and ``clients`` the types · ``connect`` protocols without a factory ·
``wrapper`` from a factory's hooks to a Deferred · ``lookup`` a host's addresses.
"""

from torsion.internet.endpoints.adopted import AdoptedStreamServerEndpoint
from torsion.internet.endpoints.connect import connectProtocol
from torsion.internet.endpoints.grammar import EndpointDescriptionError, quoteStringArgument
from torsion.internet.endpoints.hostname import HostnameEndpoint
from torsion.internet.endpoints.parse import clientFromString, serverFromString
from torsion.internet.endpoints.process import ProcessEndpoint, StandardErrorBehavior
from torsion.internet.endpoints.ssl import SSL4ClientEndpoint, SSL4ServerEndpoint
from torsion.internet.endpoints.stdio import StandardIOEndpoint
from torsion.internet.endpoints.tcp import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
)
from torsion.internet.endpoints.tls import wrapClientTLS, wrapServerTLS
from torsion.internet.endpoints.unix import UNIXClientEndpoint, UNIXServerEndpoint

__all__ = [
    "AdoptedStreamServerEndpoint",
    "EndpointDescriptionError",
    "HostnameEndpoint",
    "ProcessEndpoint",
    "SSL4ClientEndpoint",
    "SSL4ServerEndpoint",
    "StandardErrorBehavior",
    "StandardIOEndpoint",
    "TCP4ClientEndpoint",
    "TCP4ServerEndpoint",
    "TCP6ClientEndpoint",
    "TCP6ServerEndpoint",
    "UNIXClientEndpoint",
    "UNIXServerEndpoint",
    "clientFromString",
    "connectProtocol",
    "quoteStringArgument",
    "serverFromString",
    "wrapClientTLS",
    "wrapServerTLS",
]
