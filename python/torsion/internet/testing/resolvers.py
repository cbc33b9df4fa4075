"""A resolver that knows one address."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from torsion.internet.address import IPv4Address
from torsion.internet.interfaces.core import IAddress
from torsion.internet.interfaces.resolve import IHostnameResolver, IHostResolution, IResolutionReceiver


@implementer(IHostResolution)
class _DoneResolution:
    """A look-up that is over before it can be cancelled."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Refuse: the look-up was over at once.

        :raises RuntimeError: always.
        """
        raise RuntimeError(f"cannot cancel the look-up of {self.name!r}: it is over")


@implementer(IHostnameResolver)
class SynchronousResolver:
    """Finds every host at 127.0.0.1, at once."""

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Tell *resolutionReceiver* of the one address, before this returns."""
        resolution = _DoneResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        resolutionReceiver.addressResolved(
            IPv4Address("UDP" if transportSemantics == "UDP" else "TCP", "127.0.0.1", portNumber)
        )
        resolutionReceiver.resolutionComplete()
        return resolution
