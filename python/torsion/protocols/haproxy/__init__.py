"""Connections that come through a proxy which tells, by the PROXY protocol, whom they are really with.

``endpoint`` listening through a proxy · ``wrapper`` the protocol that reads the header, and its factory · ``info`` what the
header said · ``errors`` what can be wrong with it · ``parser`` the prefix ``haproxy:`` of endpoint descriptions.
"""

from torsion.protocols.haproxy.endpoint import proxyEndpoint
from torsion.protocols.haproxy.errors import InvalidNetworkProtocol, InvalidProxyHeader, MissingAddressData
from torsion.protocols.haproxy.info import IProxyInfo, ProxyInfo
from torsion.protocols.haproxy.wrapper import HAProxyProtocolWrapper, HAProxyWrappingFactory

__all__ = [
    "HAProxyProtocolWrapper",
    "HAProxyWrappingFactory",
    "IProxyInfo",
    "InvalidNetworkProtocol",
    "InvalidProxyHeader",
    "MissingAddressData",
    "ProxyInfo",
    "proxyEndpoint",
]
