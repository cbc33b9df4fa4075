"""Places to listen at and to connect to, as objects and as strings.

``tcp`` one address · ``hostname`` a host by name, its addresses ``racing`` · ``unix`` · ``ssl`` TLS by the reactor, ``tls``
over any endpoint · ``process`` a program · ``stdio`` · ``adopted`` a descriptor · ``wrapping`` a factory in between.
``parse`` strings, by their ``grammar``; ``servers`` and ``clients`` the types · ``connect`` protocols without a factory ·
``wrapper`` from a factory's hooks to a Deferred · ``lookup`` a host's addresses.
"""

from typing import TYPE_CHECKING

from torsion.internet.endpoints.connect import connectProtocol
from torsion.internet.endpoints.grammar import EndpointDescriptionError, quoteStringArgument
from torsion.internet.endpoints.hostname import HostnameEndpoint
from torsion.internet.endpoints.parse import clientFromString, serverFromString
from torsion.internet.endpoints.tcp import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
)
from torsion.internet.endpoints.unix import UNIXClientEndpoint, UNIXServerEndpoint

if TYPE_CHECKING:
    from torsion.internet.endpoints.adopted import AdoptedStreamServerEndpoint
    from torsion.internet.endpoints.process import ProcessEndpoint, StandardErrorBehavior
    from torsion.internet.endpoints.ssl import SSL4ClientEndpoint, SSL4ServerEndpoint
    from torsion.internet.endpoints.stdio import StandardIOEndpoint
    from torsion.internet.endpoints.tls import wrapClientTLS, wrapServerTLS

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

if not TYPE_CHECKING:  # a type checker would take it that every name is here

    def __getattr__(name: str) -> object:
        """Load what only some programs use when it is asked for first: all pay for what is loaded above."""
        match name:
            case "AdoptedStreamServerEndpoint":
                from torsion.internet.endpoints import adopted as home
            case "ProcessEndpoint" | "StandardErrorBehavior":
                from torsion.internet.endpoints import process as home
            case "SSL4ClientEndpoint" | "SSL4ServerEndpoint":
                from torsion.internet.endpoints import ssl as home
            case "StandardIOEndpoint":
                from torsion.internet.endpoints import stdio as home
            case "wrapClientTLS" | "wrapServerTLS":
                from torsion.internet.endpoints import tls as home
            case _:
                raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(home, name)
        return value
