"""Places to listen at and to connect to, as objects and as strings.

``tcp`` one address · ``racing`` a host by name · ``parse`` strings · ``connect`` protocols without a factory ·
``wrapper`` from a factory's hooks to a Deferred · ``lookup`` a host's addresses.
"""

from torsion.internet.endpoints.connect import connectProtocol
from torsion.internet.endpoints.parse import clientFromString, quoteStringArgument, serverFromString
from torsion.internet.endpoints.racing import HostnameEndpoint
from torsion.internet.endpoints.tcp import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
)

__all__ = [
    "HostnameEndpoint",
    "TCP4ClientEndpoint",
    "TCP4ServerEndpoint",
    "TCP6ClientEndpoint",
    "TCP6ServerEndpoint",
    "clientFromString",
    "connectProtocol",
    "quoteStringArgument",
    "serverFromString",
]
