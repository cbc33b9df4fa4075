"""All addresses of a host, as a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import Deferred, fail
from torsion.internet.interfaces import IReactorPluggableNameResolver, IResolutionReceiver
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.internet.address import IPv4Address, IPv6Address
    from torsion.internet.interfaces import IAddress, IHostnameResolver, IHostResolution

__all__ = ["addresses_of", "name_resolver_of"]


def name_resolver_of(reactor: Any) -> IHostnameResolver:
    """Return the name resolver of *reactor*, or one that uses its threads if it has none."""
    if IReactorPluggableNameResolver.providedBy(reactor):
        return reactor.nameResolver  # type: ignore[no-any-return]
    from torsion.internet.reactors.resolver import GAIResolver

    return GAIResolver(reactor)


@implementer(IResolutionReceiver)
class _Collector:
    def __init__(self) -> None:
        self.found: list[Any] = []
        self.complete: Deferred[list[Any]] = Deferred(self._cancel)
        self._resolution: IHostResolution | None = None

    def _cancel(self, _: object) -> None:
        if self._resolution is not None:
            self._resolution.cancel()

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """Remember what to cancel."""
        self._resolution = resolutionInProgress

    def addressResolved(self, address: IAddress) -> None:
        """Keep the address."""
        self.found.append(address)

    def resolutionComplete(self) -> None:
        """Hand all addresses over."""
        self.complete.callback(self.found)


def addresses_of(
    reactor: Any, host: str, port: int, kinds: Sequence[type[IAddress]] | None = None
) -> Deferred[list[IPv4Address | IPv6Address]]:
    """Look up all addresses of a host.

    :param reactor: whose name resolver is asked.
    :param host: the host's name, or its numeric address.
    :param port: the port's number, which the addresses carry.
    :param kinds: the classes of address that are wanted; None for all.
    :returns: a Deferred that fires with the addresses, none if the host has none; or fails with what the resolver raised.
    """
    collector = _Collector()
    try:
        name_resolver_of(reactor).resolveHostName(collector, host, portNumber=port, addressTypes=kinds)
    except Exception:  # noqa: BLE001 - a name that cannot be encoded, or a resolver of the program's own
        return fail(Failure())
    return collector.complete
