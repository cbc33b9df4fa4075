"""A host by name, over whichever of its addresses answers first ("happy eyeballs", RFC 8305)."""

from __future__ import annotations

from collections import deque
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.address import HostnameAddress, IPv4Address, IPv6Address
from torsion.internet.defer import Deferred, fail
from torsion.internet.endpoints.lookup import addresses_of
from torsion.internet.endpoints.tcp import TCP4ClientEndpoint, TCP6ClientEndpoint
from torsion.internet.error import ConnectingCancelledError, DNSLookupError
from torsion.internet.interfaces import IStreamClientEndpoint
from torsion.internet.interfaces.binding import Binding
from torsion.internet.transports.numeric import isIPAddress, isIPv6Address
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torsion.internet.interfaces import IDelayedCall, IProtocolFactory

__all__ = ["HostnameEndpoint", "Race", "interleave"]

ATTEMPT_DELAY = 0.3
"""After how many seconds without an answer the next address is tried as well; RFC 8305 proposes 0.25, Twisted has 0.3."""


def interleave(addresses: Iterable[Any]) -> list[IPv4Address | IPv6Address]:
    """Put addresses in the order in which to try them: the families in turn, beginning with that of the first.

    What is neither an IPv4 nor an IPv6 address is left out.
    """
    families: dict[type, list[Any]] = {}
    for address in addresses:
        if isinstance(address, (IPv4Address, IPv6Address)):
            families.setdefault(type(address), []).append(address)
    return [address for address in chain.from_iterable(zip_longest(*families.values())) if address is not None]


class Race:
    """Attempts to get the same thing, started one after the other until one succeeds; the others are cancelled then.

    :ivar won: fires with the result of the first that succeeds, or fails like the last one to fail.
    """

    def __init__(self, clock: Any, delay: float, attempts: Iterable[Callable[[], Deferred[Any]]]) -> None:
        """Prepare a race.

        :param clock: provides ``IReactorTime``.
        :param delay: how many seconds to wait for an attempt before another one is started besides; when one fails, the
            next is started at once.
        :param attempts: each starts one when called.
        """
        self.won: Deferred[Any] = Deferred(lambda _: self._end())
        self._clock = clock
        self._delay = delay
        self._waiting = deque(attempts)
        self._running: list[Deferred[Any]] = []
        self._timer: IDelayedCall | None = None
        self._over = False

    def start(self) -> None:
        """Start the first attempt.  There has to be one."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        attempt = self._waiting.popleft()()
        self._running.append(attempt)
        attempt.addCallbacks(self._success, self._failure, callbackArgs=(attempt,), errbackArgs=(attempt,))
        if self._waiting and self._timer is None and not self._over:
            self._timer = self._clock.callLater(self._delay, self.start)

    def _success(self, result: Any, attempt: Deferred[Any]) -> None:
        if not self._over:
            self._running.remove(attempt)
            self._end()
            self.won.callback(result)

    def _failure(self, reason: Failure, attempt: Deferred[Any]) -> None:
        if self._over:
            return
        self._running.remove(attempt)
        if self._waiting:
            self.start()
        elif not self._running:
            self._end()
            self.won.errback(reason)

    def _end(self) -> None:
        self._over = True
        self._waiting.clear()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        running, self._running = self._running, []
        for attempt in running:
            attempt.cancel()


@implementer(IStreamClientEndpoint)
class HostnameEndpoint:
    """A TCP port of a host by name, over IPv4 or IPv6, whichever answers first."""

    def __init__(
        self,
        reactor: Any,
        host: str | bytes,
        port: int,
        timeout: float = 30,
        bindAddress: bytes | str | tuple[bytes | str, int] | Binding | None = None,
        attemptDelay: float | None = None,
    ) -> None:
        """Describe a port to connect to.

        :param reactor: provides ``IReactorTCP``, ``IReactorTime`` and, best, ``IReactorPluggableNameResolver``.
        :param host: the host's name, or its numeric address; a name of other than ASCII letters is encoded by IDNA.
        :param port: the port's number.
        :param timeout: after how many seconds to give an address up.
        :param bindAddress: this end's address, with or without a port, if it matters.
        :param attemptDelay: how many seconds to wait for an address before the next one is tried besides.
        """
        self._reactor = reactor
        self._port = port
        self._timeout = timeout
        self._bindAddress = _as_pair(bindAddress)
        self._delay = ATTEMPT_DELAY if attemptDelay is None else attemptDelay
        self._problem: str | None = None
        try:
            self._host = _as_ascii(host)
        except UnicodeError as error:
            self._host = repr(host)
            self._problem = f"invalid host name {host!r}: {error}"

    def __repr__(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"<{type(self).__name__} {host}:{self._port}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """Connect, for a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with the protocol once its connection is made.  It fails with
            :class:`torsion.internet.error.DNSLookupError` if the host has no address, with :class:`ValueError` if its name
            cannot be one, or with what the last address failed with.
        """
        if self._problem is not None:
            return fail(ValueError(self._problem))
        under_way: Deferred[Any]

        def cancel(made: Deferred[Any]) -> None:
            made.errback(ConnectingCancelledError(HostnameAddress(self._host.encode("ascii"), self._port)))
            under_way.cancel()

        def found(addresses: list[IPv4Address | IPv6Address]) -> Deferred[Any]:
            attempts = [self._attempt(address, protocolFactory) for address in interleave(addresses)]
            if not attempts:
                raise DNSLookupError(f"no address was found for {self._host!r}")
            race = Race(self._reactor, self._delay, attempts)
            race.start()
            return race.won

        def settled(result: Any) -> None:
            if not made.called:
                made.callback(result)  # a Failure too: callback takes the errback path for one

        made: Deferred[Any] = Deferred(cancel)
        under_way = addresses_of(self._reactor, self._host, self._port)
        under_way.addCallback(found).addBoth(settled)
        return made

    def _attempt(
        self, address: IPv4Address | IPv6Address, protocolFactory: IProtocolFactory
    ) -> Callable[[], Deferred[Any]]:
        kind = TCP6ClientEndpoint if isinstance(address, IPv6Address) else TCP4ClientEndpoint
        endpoint = kind(self._reactor, address.host, address.port, self._timeout, self._bindAddress)
        return lambda: endpoint.connect(protocolFactory)


def _as_pair(
    address: bytes | str | tuple[bytes | str, int] | Binding | None,
) -> tuple[bytes | str, int] | Binding | None:
    if address is None or isinstance(address, Binding):
        return address
    host, port = address if isinstance(address, tuple) else (address, 0)
    return (host.decode("ascii") if isinstance(host, bytes) else host), port


def _as_ascii(host: str | bytes) -> str:
    """Return *host* as it is looked up.

    :raises UnicodeError: if it can be no host's name.
    """
    if isinstance(host, bytes):
        return host.decode("ascii")
    if host.isascii() or isIPAddress(host) or isIPv6Address(host):
        return host
    return host.encode("idna").decode("ascii")
