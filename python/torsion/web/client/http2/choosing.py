"""Which version of HTTP a server speaks: TLS agrees upon it (ALPN, RFC 7301), or it is known."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from zope.interface import implementer

from torsion.internet.defer import Deferred
from torsion.internet.interfaces import (
    IHandshakeListener,
    IProtocolNegotiationFactory,
    ISSLTransport,
    IStreamClientEndpoint,
)
from torsion.internet.protocol import Factory, Protocol, connectionDone
from torsion.python.failure import Failure
from torsion.web.client.errors import BadResponse, RequestTimedOut

__all__ = ["ChoosingEndpoint", "is_available"]


@cache
def is_available() -> bool:
    """Return whether the library that HTTP/2 needs is installed: ``pip install torsion[http2]``."""
    return find_spec("h2") is not None


@implementer(IHandshakeListener)
class _Choice(Protocol):
    """Waits for the handshake, and leaves the connection to the protocol that was agreed upon."""

    _inside: Any = None
    _timer: Any = None

    def __init__(self, endpoint: ChoosingEndpoint, factory: Any, made: Deferred[Any]) -> None:
        self._endpoint = endpoint
        self._wrapped = factory
        self._made: Deferred[Any] | None = made

    def connectionMade(self) -> None:
        if not ISSLTransport.providedBy(self.transport):
            self._hand_over(b"h2" if self._endpoint.always else None)
        elif self._made is not None and self._endpoint.seconds is not None:
            self._timer = self._endpoint.clock.callLater(self._endpoint.seconds, self._late)

    def handshakeCompleted(self) -> None:
        self._hand_over(self.transport.negotiatedProtocol)

    def _hand_over(self, spoken: bytes | None) -> None:
        made = self._settle()
        if made is None:
            return
        address = self.transport.getPeer()
        if spoken == b"h2":
            inside = self._wrapped.buildHTTP2(address)
        elif self._endpoint.always:
            self._give_up()
            made.errback(
                BadResponse("the server does not speak HTTP/2, which was asked for by http2='prior-knowledge'")
            )
            return
        else:
            inside = self._wrapped.buildProtocol(address)
        self._inside = inside
        transport = self.transport
        if getattr(transport, "protocol", None) is self:
            transport.protocol = inside
        inside.makeConnection(transport)
        made.callback(inside)

    def _settle(self) -> Deferred[Any] | None:
        made, self._made = self._made, None
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        return made

    def _late(self) -> None:
        made = self._settle()
        self._give_up()
        if made is not None:
            made.errback(RequestTimedOut("the TLS handshake", self._endpoint.seconds or 0))

    def _give_up(self) -> None:
        transport = self.transport
        getattr(transport, "abortConnection", transport.loseConnection)()

    def cancel(self) -> None:
        """Close the connection: nobody waits for it any more."""
        self._settle()
        if self.transport is not None:
            self._give_up()

    def dataReceived(self, data: bytes) -> None:
        if self._inside is not None:  # a transport that has not noticed whom it belongs to
            self._inside.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._inside is not None:
            self._inside.connectionLost(reason)
            return
        made = self._settle()
        if made is not None:
            made.errback(reason)


class _Choosers(Factory):
    """Makes one :class:`_Choice`."""

    noisy = False

    def __init__(self, choice: _Choice) -> None:
        self._choice = choice

    def buildProtocol(self, addr: Any) -> _Choice:
        self._choice.factory = self
        return self._choice


@implementer(IProtocolNegotiationFactory)
class _Negotiators(_Choosers):
    """As well, and has HTTP/2 offered to the server."""

    def __init__(self, choice: _Choice, offered: list[bytes]) -> None:
        super().__init__(choice)
        self._offered = offered

    def acceptableProtocols(self) -> list[bytes]:
        return self._offered


@implementer(IStreamClientEndpoint)
class ChoosingEndpoint:
    """Connects, and waits for TLS, if there is any.

    :ivar multiplexes: whether a connection may turn out to be for many requests.
    """

    def __init__(
        self, endpoint: Any, clock: Any, seconds: float | None, http2: bool = True, always: bool = False
    ) -> None:
        """Describe it.

        :param endpoint: connects.
        :param clock: an ``IReactorTime``.
        :param seconds: how long the handshake may take; None for any time.
        :param http2: whether HTTP/2 is offered.
        :param always: whether there is nothing but HTTP/2, so that it is spoken at once without TLS (prior knowledge).
        """
        self.endpoint = endpoint
        self.clock = clock
        self.seconds = seconds
        self.multiplexes = http2
        self.always = always

    def __repr__(self) -> str:
        return repr(self.endpoint)

    def without(self) -> ChoosingEndpoint | None:
        """Return one that does not offer HTTP/2; None if nothing else is spoken."""
        return None if self.always else ChoosingEndpoint(self.endpoint, self.clock, self.seconds, http2=False)

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Connect.

        :param protocolFactory: its ``buildProtocol`` makes connections of HTTP/1.1, ``buildHTTP2`` the others.
        :returns: a Deferred that fires with what it made, once it can be used.  It fails as the endpoint does, as TLS does, or
            with :class:`RequestTimedOut`.
        """

        def cancel(_: Deferred[Any]) -> None:
            connecting.cancel()
            choice.cancel()

        made: Deferred[Any] = Deferred(cancel)
        choice = _Choice(self, protocolFactory, made)
        if self.multiplexes:
            offered = [b"h2"] if self.always else [b"h2", b"http/1.1"]
            factory: _Choosers = _Negotiators(choice, offered)
        else:
            factory = _Choosers(choice)
        connecting: Deferred[Any] = self.endpoint.connect(factory)

        def failed(reason: Failure) -> None:
            waiting = choice._settle()
            if waiting is not None and not waiting.called:
                waiting.errback(reason)

        connecting.addErrback(failed)
        return made
