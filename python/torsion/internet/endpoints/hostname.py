"""A host by name, over whichever of its addresses answers first ("happy eyeballs", RFC 8305)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.address import HostnameAddress, IPv4Address, IPv6Address
from torsion.internet.defer import Deferred, fail
from torsion.internet.endpoints.lookup import Lookup
from torsion.internet.endpoints.racing import ATTEMPT_DELAY, Race
from torsion.internet.endpoints.tcp import TCP4ClientEndpoint, TCP6ClientEndpoint
from torsion.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError
from torsion.internet.interfaces import IStreamClientEndpoint
from torsion.internet.interfaces.binding import Binding
from torsion.internet.transports.numeric import isIPAddress, isIPv6Address
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.internet.interfaces import IDelayedCall, IProtocolFactory

__all__ = ["RESOLUTION_DELAY", "HostnameEndpoint"]

RESOLUTION_DELAY = 0.05
"""How many seconds an IPv4 address waits for an IPv6 address to be found: RFC 8305, section 3 proposes this."""


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
        :param timeout: after how many seconds to give an address up, and to look for no more addresses.
        :param bindAddress: this end's address, with or without a port, if it matters.
        :param attemptDelay: how many seconds to wait for an address before the next one is tried besides; 0.25 by default.
        """
        self._reactor = reactor
        self._port = port
        self._timeout = timeout
        self._bindAddress = _as_pair(bindAddress)
        self._delay = ATTEMPT_DELAY if attemptDelay is None else attemptDelay
        self._problem: str | None = None
        try:
            self._host = _as_ascii(host)
        except ValueError as error:
            self._host = _legible(host)
            self._problem = f"invalid host name {self._host}: {error}"

    def __repr__(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"<{type(self).__name__} {host}:{self._port}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """Connect, for a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with the protocol once its connection is made.  It fails with
            :class:`torsion.internet.error.DNSLookupError` if the host has no address, with :class:`ValueError` if its name
            cannot be one, or with what the last address failed with; if several did, the error's text tells of each, and
            its ``attempts`` are pairs of an address and a Failure.
        """
        if self._problem is not None:
            return fail(ValueError(self._problem))
        return _Connecting(self, protocolFactory).made

    def _attempt(self, address: IPv4Address | IPv6Address, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        kind = TCP6ClientEndpoint if isinstance(address, IPv6Address) else TCP4ClientEndpoint
        endpoint = kind(self._reactor, address.host, address.port, self._timeout, self._bindAddress)
        return endpoint.connect(protocolFactory)


class _Connecting:
    """One look-up and the race of what it finds.

    The race begins as soon as the resolver has said all.  Before that, an IPv6 address begins it in the next turn, since
    the rest of an answer may come in this one, and an IPv4 address after the resolution delay.
    """

    def __init__(self, endpoint: HostnameEndpoint, protocolFactory: IProtocolFactory) -> None:
        self.made: Deferred[Any] = Deferred(self._cancel)
        self._endpoint = endpoint
        self._clock = endpoint._reactor
        self._timer: IDelayedCall | None = None
        self._race = Race(
            self._clock, endpoint._delay, lambda address: endpoint._attempt(address, protocolFactory), self._lost
        )
        self._race.won.addBoth(self._settled)
        self._lookup = Lookup(self._found, self._complete)
        self._lookup.start(self._clock, endpoint._host, endpoint._port, patience=endpoint._timeout)

    def _cancel(self, made: Deferred[Any]) -> None:
        address = HostnameAddress(self._endpoint._host.encode("ascii"), self._endpoint._port)
        made.errback(ConnectingCancelledError(address))
        self._stop()
        self._race.won.cancel()

    def _stop(self) -> None:
        self._lookup.cancel()
        self._set_timer(None)

    def _set_timer(self, delay: float | None) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        if delay is not None:
            self._timer = self._clock.callLater(delay, self._begin)

    def _found(self, address: object) -> None:
        if not isinstance(address, (IPv4Address, IPv6Address)):
            return  # nothing to connect to
        self._race.add(address)
        if not self._race.started:
            if isinstance(address, IPv6Address):
                self._set_timer(0)
            elif self._timer is None:
                self._set_timer(RESOLUTION_DELAY)

    def _begin(self) -> None:
        """Begin with what there is: addresses that came by themselves are in no order of the resolver's."""
        self._timer = None
        self._race.waiting.prefer(IPv6Address)
        self._race.start()

    def _complete(self) -> None:
        self._set_timer(None)
        if not self._race.started:
            self._race.start()
        self._race.complete()

    def _lost(self, failures: list[tuple[Any, Failure]]) -> Failure:
        host = self._endpoint._host
        if not failures:
            return self._lookup.problem or Failure(DNSLookupError(f"no address was found for {host!r}"))
        return _all_of(host, failures)

    def _settled(self, result: Any) -> None:
        self._stop()
        if not self.made.called:
            self.made.callback(result)  # a Failure too: callback takes the errback path for one


def _all_of(host: str, failures: list[tuple[Any, Failure]]) -> Failure:
    """Return one failure for all: of the last one's class, telling of each."""
    last = failures[-1][1].value
    if len(failures) == 1 or not isinstance(last, ConnectError) or type(last).__init__ is not ConnectError.__init__:
        return failures[-1][1]  # all there is to tell, or a class of somebody's own
    each = "; ".join(f"{address.host}: {_in_short(failure.value)}" for address, failure in failures)
    error = type(last)(last.osError, f"none of the {len(failures)} addresses of {host!r} could be reached: {each}")
    error.attempts = failures  # type: ignore[attr-defined]  # told in addition to what its class declares
    return Failure(error)


def _in_short(error: BaseException) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _as_pair(
    address: bytes | str | tuple[bytes | str, int] | Binding | None,
) -> tuple[bytes | str, int] | Binding | None:
    if address is None or isinstance(address, Binding):
        return address
    host, port = address if isinstance(address, tuple) else (address, 0)
    return (host.decode("ascii") if isinstance(host, bytes) else host), port


def _legible(host: str | bytes) -> str:
    """Return what cannot be a name in letters that can be printed anywhere."""
    if isinstance(host, bytes):
        return host.decode("ascii", "backslashreplace")
    return host.encode("ascii", "backslashreplace").decode("ascii")


def _as_ascii(host: str | bytes) -> str:
    """Return *host* as it is looked up.

    :raises ValueError: if it can be no host's name.
    """
    if isinstance(host, bytes):
        return host.decode("ascii")
    if host.isascii() or isIPAddress(host) or isIPv6Address(host):
        return host
    from torsion.internet.transports.hostnames import to_ascii

    return to_ascii(host)  # as certificates have it: the name that is looked up is the one that is checked
