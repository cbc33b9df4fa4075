"""Listening through a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.internet.endpoints.wrapping import WrapperServerEndpoint
from torsion.protocols.haproxy.wrapper import HAProxyWrappingFactory

if TYPE_CHECKING:
    from torsion.internet.interfaces import IStreamServerEndpoint

__all__ = ["proxyEndpoint"]


def proxyEndpoint(wrappedEndpoint: IStreamServerEndpoint) -> IStreamServerEndpoint:
    """Expect every connection to begin with a PROXY header, and believe it.

    Only the proxy may be able to connect there: anybody who can, can claim to be anybody.

    :param wrappedEndpoint: where the proxy connects to.
    :returns: an endpoint whose connections' ``getPeer`` and ``getHost`` say what the header said.
    """
    return WrapperServerEndpoint(wrappedEndpoint, HAProxyWrappingFactory)
