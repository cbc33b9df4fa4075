"""Name resolution: the system's, in threads; and the two kinds of resolver made out of each other.

``IHostnameResolver`` finds all addresses of all families, ``IResolverSimple`` one IPv4 address.  A program may install
either; the reactor makes the other one out of it.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.defer import Deferred, fail, maybeDeferred, succeed
from torsion.internet.error import DNSLookupError
from torsion.internet.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver, IResolverSimple
from torsion.internet.transports.numeric import isIPAddress, isIPv6Address
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from torsion.internet.interfaces import IAddress
    from torsion.python.threadpool import ThreadPool

    _Address: TypeAlias = IPv4Address | IPv6Address
    _Found: TypeAlias = list[tuple[int, int, int, str, tuple[Any, ...]]]

__all__ = [
    "BlockingResolver",
    "ComplexResolverSimplifier",
    "FirstAddress",
    "GAIResolver",
    "HostResolution",
    "SimpleResolverComplexifier",
    "ThreadedResolver",
    "deliver",
    "numeric_address",
]

_log = Logger("torsion.internet.reactors.resolver")

_KINDS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}


def numeric_address(host: str, port: int, transport: str) -> _Address | None:
    """Return the address that *host* is if it is numeric, else None."""
    if isIPAddress(host):
        return IPv4Address(transport, host, port)  # type: ignore[arg-type]  # one of the two by the table above
    if isIPv6Address(host) and "%" not in host:  # the number of a scope such as %eth0 is the system's to tell
        return IPv6Address(transport, host, port)  # type: ignore[arg-type]  # one of the two by the table above
    return None


@implementer(IHostResolution)
class HostResolution:
    """A look-up under way; once cancelled or complete, whatever else it finds is dropped."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.active = True

    def cancel(self) -> None:
        """Give the look-up up; the receiver hears no more of it."""
        self.active = False


def deliver(
    receiver: IResolutionReceiver, resolution: HostResolution, addresses: Iterable[_Address], wanted: object
) -> None:
    """Tell *receiver* of those *addresses* that are of the *wanted* types, as long as it does not cancel."""
    for address in addresses:
        if not resolution.active:
            return
        # The classes of addresses, not interfaces.
        if wanted is None or isinstance(address, wanted):  # type: ignore[arg-type]
            receiver.addressResolved(address)
    if resolution.active:
        resolution.active = False
        receiver.resolutionComplete()


@implementer(IHostnameResolver)
class GAIResolver:
    """Looks names up with the system's ``getaddrinfo``, in a thread; numeric addresses need none."""

    def __init__(
        self,
        reactor: Any,
        getThreadPool: Callable[[], ThreadPool] | None = None,
        getaddrinfo: Callable[..., Any] | None = None,
    ) -> None:
        """Make a resolver.

        :param reactor: in whose thread the receivers are called.
        :param getThreadPool: returns the pool to use; the reactor's by default.
        :param getaddrinfo: what to call instead of :func:`socket.getaddrinfo`.
        """
        self._reactor = reactor
        self._getThreadPool = reactor.getThreadPool if getThreadPool is None else getThreadPool
        self._getaddrinfo = getaddrinfo

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> HostResolution:
        """Look up the addresses of a host: see ``IHostnameResolver``.

        A name that has none is told by a completion without addresses.
        """
        resolution = HostResolution(hostName)
        wanted = None if addressTypes is None else tuple(addressTypes)
        resolutionReceiver.resolutionBegan(resolution)
        numeric = numeric_address(hostName, portNumber, transportSemantics)
        if numeric is not None:
            deliver(resolutionReceiver, resolution, [numeric], wanted)
            return resolution
        family = _family(wanted)
        kind = _KINDS[transportSemantics]
        getaddrinfo: Callable[..., Any] = self._getaddrinfo or socket.getaddrinfo

        def look_up() -> list[_Address]:
            try:
                found = getaddrinfo(hostName, portNumber, family, kind)
            except (OSError, ValueError):  # ValueError: it can be no name, as with a label of more than 63 letters
                found = []
            return list(_addresses(found, transportSemantics))

        def looked_up(success: bool, result: Any) -> None:
            self._reactor.callFromThread(arrived, result if success else [], None if success else result)

        def arrived(found: list[_Address], failure: Failure | None) -> None:
            if failure is not None:
                _log.failure("Looking {name!r} up failed", failure, name=hostName)
            deliver(resolutionReceiver, resolution, found, wanted)

        self._getThreadPool().callInThreadWithCallback(looked_up, look_up)
        return resolution


def _family(wanted: tuple[type[IAddress], ...] | None) -> int:
    """Return the family to ask the system for, given the types of address that are *wanted*."""
    if wanted is not None and len(wanted) == 1:
        if wanted[0] is IPv4Address:
            return socket.AF_INET
        if wanted[0] is IPv6Address:
            return socket.AF_INET6
    return socket.AF_UNSPEC


def _addresses(found: _Found, transport: Any) -> Iterable[_Address]:
    for family, _kind, _protocol, _name, address in found:
        if family == socket.AF_INET:
            yield IPv4Address(transport, *address)
        elif family == socket.AF_INET6 and len(address) == 4:
            yield IPv6Address(transport, *address)


@implementer(IResolutionReceiver)
class FirstAddress:
    """Receives a resolution and fires a Deferred with the host of the first address, or DNSLookupError."""

    def __init__(self, deferred: Deferred[str], name: str) -> None:
        self._deferred: Deferred[str] | None = deferred
        self._name = name
        self.resolution: IHostResolution | None = None

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """Remember the look-up, so that it can be cancelled."""
        self.resolution = resolutionInProgress

    def addressResolved(self, address: Any) -> None:
        """Fire the Deferred if this is the first address."""
        deferred, self._deferred = self._deferred, None
        if deferred is not None:
            host = getattr(address, "host", None)
            if isinstance(host, str):
                deferred.callback(host)
            else:  # a resolver of the program's own, which will not try again
                deferred.errback(DNSLookupError(f"no address of {self._name!r}: {address!r} has no host to connect to"))

    def resolutionComplete(self) -> None:
        """Fail the Deferred if there was no address."""
        deferred, self._deferred = self._deferred, None
        if deferred is not None:
            deferred.errback(DNSLookupError(f"no address was found for {self._name!r}"))

    def give_up(self) -> None:
        """Cancel the look-up and leave the Deferred alone from now on."""
        self._deferred = None
        if self.resolution is not None:
            try:
                self.resolution.cancel()
            except Exception:  # noqa: BLE001 - a resolver of the program's own; whoever waits is told all the same
                _log.failure("Cancelling the look-up of {name!r} raised", name=self._name)


@implementer(IResolverSimple)
class ComplexResolverSimplifier:
    """A simple resolver made of one for host names: it takes the first IPv4 address."""

    def __init__(self, nameResolver: IHostnameResolver, reactor: Any = None) -> None:
        """Make one.

        :param nameResolver: whom to ask.
        :param reactor: keeps the time for timeouts; without one there are none.
        """
        self._nameResolver = nameResolver
        self._reactor = reactor

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:
        """Look *name* up: see ``IResolverSimple``.

        :param timeout: the sum of these is the number of seconds after which to give up.
        :returns: a Deferred that fires with an IPv4 address in dotted-quad form, or fails with
            :class:`torsion.internet.error.DNSLookupError`.
        """
        deferred: Deferred[str] = Deferred(lambda _: receiver.give_up())
        receiver = FirstAddress(deferred, name)
        try:
            self._nameResolver.resolveHostName(receiver, name, 0, [IPv4Address])
        except Exception:  # noqa: BLE001 - a resolver of the program's own
            if not deferred.called:
                receiver.give_up()
                return fail(Failure())
            _log.failure("Looking {name!r} up raised after it was found", name=name)
        if self._reactor is not None and timeout and not deferred.called:
            _limit(deferred, self._reactor, sum(timeout), name)
        return deferred


def _limit(deferred: Deferred[str], clock: Any, seconds: float, name: str) -> None:
    """Let *deferred* fail with DNSLookupError if it has not fired after *seconds*."""

    late = False

    def expired() -> None:
        nonlocal late
        late = True
        deferred.cancel()

    def answered(result: Any) -> Any:
        if late:
            return Failure(DNSLookupError(f"no answer for {name!r} after {seconds:g} seconds"))
        call.cancel()
        return result

    call = clock.callLater(seconds, expired)
    deferred.addBoth(answered)


class _Answering(HostResolution):
    """A look-up by a simple resolver, whose Deferred is cancelled along with it."""

    answer: Deferred[Any] | None = None

    def cancel(self) -> None:
        """Give the look-up up; the receiver hears no more of it."""
        if self.active:
            self.active = False
            if self.answer is not None:
                self.answer.cancel()


@implementer(IHostnameResolver)
class SimpleResolverComplexifier:
    """A resolver for host names made of a simple one: it finds at most one address, of IPv4."""

    def __init__(self, simpleResolver: IResolverSimple) -> None:
        """Make one that asks *simpleResolver*."""
        self._simpleResolver = simpleResolver

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> HostResolution:
        """Look up the addresses of a host: see ``IHostnameResolver``.

        :raises ValueError: if *hostName* cannot be encoded by IDNA.
        """
        if not hostName.isascii():
            from torsion.internet.transports.hostnames import to_ascii

            hostName = to_ascii(hostName)
        resolution = _Answering(hostName)
        wanted = None if addressTypes is None else tuple(addressTypes)
        resolutionReceiver.resolutionBegan(resolution)

        def answered(host: str) -> None:
            numeric = numeric_address(host, portNumber, transportSemantics)
            deliver(resolutionReceiver, resolution, [] if numeric is None else [numeric], wanted)

        def failed(failure: Failure) -> None:
            if resolution.active and not failure.check(DNSLookupError):
                _log.failure("Looking {name!r} up failed", failure, name=hostName)
            deliver(resolutionReceiver, resolution, [], wanted)

        # The errback is for answers that are no addresses, too: the receiver is to hear of an end in any case.
        answer = maybeDeferred(self._simpleResolver.getHostByName, hostName)
        resolution.answer = answer
        answer.addCallback(answered).addErrback(failed)
        return resolution


@implementer(IResolverSimple)
class BlockingResolver:
    """Looks names up at once, while everything else waits."""

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:
        """Look *name* up: see ``IResolverSimple``.  The timeout is not obeyed."""
        try:
            return succeed(socket.gethostbyname(name))
        except (OSError, ValueError) as error:  # ValueError: it can be no name
            return fail(DNSLookupError(f"no address was found for {name!r}: {error}"))


@implementer(IResolverSimple)
class ThreadedResolver:
    """Looks names up in the threads of a reactor's pool."""

    def __init__(self, reactor: Any) -> None:
        """Make a resolver that uses the pool and the clock of *reactor*."""
        self._simplifier = ComplexResolverSimplifier(GAIResolver(reactor), reactor)

    def getHostByName(self, name: str, timeout: Sequence[int] = (1, 3, 11, 45)) -> Deferred[str]:
        """Look *name* up: see ``IResolverSimple``.

        :returns: a Deferred that fires with an IPv4 address in dotted-quad form, or fails with
            :class:`torsion.internet.error.DNSLookupError`, at the latest after the sum of *timeout* seconds.
        """
        return self._simplifier.getHostByName(name, timeout)
