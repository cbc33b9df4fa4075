"""Names on a network in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from torsion.internet.interfaces import IHostnameResolver
from torsion.internet.reactors.resolver import HostResolution, deliver, numeric_address

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from torsion.internet.interfaces import IAddress, IResolutionReceiver

__all__ = ["MemoryResolver"]


@implementer(IHostnameResolver)
class MemoryResolver:
    """Finds what the network's ``names`` say, in the next turn of the reactor; names are compared without regard to case."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> HostResolution:
        """Look up the addresses of a host: see ``IHostnameResolver``."""
        resolution = HostResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        wanted = None if addressTypes is None else tuple(addressTypes)
        numeric = numeric_address(hostName, portNumber, transportSemantics)
        if numeric is not None:
            deliver(resolutionReceiver, resolution, (numeric,), wanted)
            return resolution

        def answer() -> None:
            known = self._reactor.network.names.get(hostName.lower().removesuffix("."), ())
            found = [numeric_address(each, portNumber, transportSemantics) for each in known]
            deliver(resolutionReceiver, resolution, [each for each in found if each is not None], wanted)

        self._reactor.callLater(0, answer)
        return resolution
