"""Looking a host up for an endpoint: what a resolver says, made safe against what it should not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import Deferred
from torsion.internet.error import DNSLookupError
from torsion.internet.interfaces import IReactorPluggableNameResolver, IReactorTime, IResolutionReceiver
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torsion.internet.address import IPv4Address, IPv6Address
    from torsion.internet.interfaces import IAddress, IDelayedCall, IHostnameResolver, IHostResolution

__all__ = ["Lookup", "addresses_of", "name_resolver_of"]

_log = Logger("torsion.internet.endpoints")


def name_resolver_of(reactor: Any) -> IHostnameResolver:
    """Return the name resolver of *reactor*, or one that uses its threads if it has none."""
    if IReactorPluggableNameResolver.providedBy(reactor):
        return reactor.nameResolver  # type: ignore[no-any-return]  # any reactor of that interface
    from torsion.internet.reactors.resolver import GAIResolver

    return GAIResolver(reactor)


@implementer(IResolutionReceiver)
class Lookup:
    """One look-up of a host's addresses.

    It tells each address once, then, once, that it is over.  A resolver of the program's own may say too much, too late
    or, given *patience*, nothing at all.

    :ivar problem: why there may be more addresses than were found, once it is over; None if all is well.
    """

    def __init__(self, found: Callable[[Any], object], over: Callable[[], object]) -> None:
        """Prepare a look-up.

        :param found: called with each address.
        :param over: called when there are no more; not if the look-up is cancelled.
        """
        self.problem: Failure | None = None
        self._found = found
        self._over = over
        self._seen: set[Any] = set()
        self._kinds: tuple[type, ...] | None = None
        self._active = True
        self._resolution: IHostResolution | None = None
        self._timer: IDelayedCall | None = None

    def start(
        self, reactor: Any, host: str, port: int, kinds: Sequence[type[IAddress]] | None = None, patience: float = 0
    ) -> None:
        """Begin.

        :param reactor: whose name resolver is asked.
        :param host: the host's name, or its numeric address.
        :param port: the port's number, which the addresses carry.
        :param kinds: the classes of address that are wanted; None for all.
        :param patience: after how many seconds to wait no more; 0, or a reactor that keeps no time, means never.
        """
        self._kinds = None if kinds is None else tuple(kinds)
        if patience and IReactorTime.providedBy(reactor):
            self._timer = reactor.callLater(patience, self._late, host, patience)
        try:
            name_resolver_of(reactor).resolveHostName(self, host, portNumber=port, addressTypes=kinds)
        except Exception:  # noqa: BLE001 - a name that cannot be encoded, or a resolver of the program's own
            if self._active:
                self.problem = Failure()
                self.resolutionComplete()

    def cancel(self) -> None:
        """Give the look-up up."""
        if self._active:
            self._end()
            self._cancel_resolution()

    def _end(self) -> None:
        self._active = False
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _cancel_resolution(self) -> None:
        if self._resolution is not None:
            try:
                self._resolution.cancel()
            except Exception:  # noqa: BLE001 - a resolver of the program's own; the look-up is over all the same
                _log.failure("Cancelling a look-up raised")

    def _late(self, host: str, patience: float) -> None:
        self._timer = None
        self.problem = Failure(DNSLookupError(f"no answer for {host!r} after {patience:g} seconds"))
        self._cancel_resolution()
        if self._active:
            self.resolutionComplete()

    # --- what the resolver calls -------------------------------------------------------------------------------------

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """Remember what to cancel."""
        self._resolution = resolutionInProgress
        if not self._active:
            self._cancel_resolution()

    def addressResolved(self, address: IAddress) -> None:
        """Pass the address on, unless it was told before or is of a kind that nobody asked for."""
        if self._active and address not in self._seen and (self._kinds is None or isinstance(address, self._kinds)):
            self._seen.add(address)
            self._found(address)

    def resolutionComplete(self) -> None:
        """Tell that this is all."""
        if self._active:
            self._end()
            self._over()


def addresses_of(
    reactor: Any, host: str, port: int, kinds: Sequence[type[IAddress]] | None = None, patience: float = 0
) -> Deferred[list[IPv4Address | IPv6Address]]:
    """Look up all addresses of a host.

    :param reactor: whose name resolver is asked.
    :param host: the host's name, or its numeric address.
    :param port: the port's number, which the addresses carry.
    :param kinds: the classes of address that are wanted; None for all.
    :param patience: after how many seconds to make do with what was found; 0 means never.
    :returns: a Deferred that fires with the addresses, none if the host has none; or fails with what the resolver raised,
        or with :class:`torsion.internet.error.DNSLookupError` if it found nothing in time.
    """
    addresses: list[Any] = []

    def over() -> None:
        found.callback(addresses if addresses or lookup.problem is None else lookup.problem)

    lookup = Lookup(addresses.append, over)
    found: Deferred[Any] = Deferred(lambda _: lookup.cancel())
    lookup.start(reactor, host, port, kinds, patience)
    return found
