"""One connection, without a factory of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from torsion.internet.defer import Deferred
from torsion.internet.interfaces.core import IAddress
from torsion.internet.interfaces.stream import IConnector
from torsion.internet.protocol.client import ClientFactory
from torsion.internet.protocol.factory import _P
from torsion.python.failure import Failure


class _OneProtocolFactory(ClientFactory[_P]):
    """Gives a protocol that exists already to the first connection, and tells a Deferred how that went.

    The Deferred fires in a later turn, so that whoever waits for it finds the protocol connected.
    """

    noisy = False
    connector: IConnector

    def __init__(self, reactor: Any, protocol: _P) -> None:
        self.deferred: Deferred[_P] = Deferred(self._cancel)
        self._reactor = reactor
        self._protocol: _P | None = protocol
        self._call: Any = None

    def __repr__(self) -> str:
        return f"<ClientCreator factory: {self._protocol!r}>"

    def buildProtocol(self, addr: IAddress | None) -> _P | None:
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            self._soon(self.deferred.callback, protocol)
        return protocol

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        if self._protocol is not None:
            self._protocol = None
            self._soon(self.deferred.errback, reason)

    def _soon(self, fire: Callable[[Any], None], result: object) -> None:
        self._call = self._reactor.callLater(0, self._fire, fire, result)

    def _fire(self, fire: Callable[[Any], None], result: object) -> None:
        self._call = None
        fire(result)

    def _cancel(self, deferred: Deferred[_P]) -> None:
        self._protocol = None
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self.connector.disconnect()


class ClientCreator(Generic[_P]):
    """Makes single connections and hands out their protocols.

    Endpoints do the same for any transport; prefer them in new code.

    :param reactor: the reactor to connect with.
    :param protocolClass: what to call for each connection's protocol; *args* and *kwargs* are handed to it.

    Each of the methods returns a Deferred that fires with the protocol once it is connected. It fails with the
    :class:`torsion.internet.error.ConnectError` (or other exception) that tells why there is no connection.
    Cancelling it gives the attempt up, or closes the connection if it was just made.
    """

    def __init__(self, reactor: Any, protocolClass: Callable[..., _P], *args: Any, **kwargs: Any) -> None:
        self.reactor = reactor
        self.protocolClass = protocolClass
        self.args = args
        self.kwargs = kwargs

    def _factory(self) -> _OneProtocolFactory[_P]:
        return _OneProtocolFactory(self.reactor, self.protocolClass(*self.args, **self.kwargs))

    def connectTCP(
        self, host: str, port: int, timeout: float = 30, bindAddress: tuple[str, int] | None = None
    ) -> Deferred[_P]:
        """Connect to a TCP port.

        :param host: the host's name, or its numeric address.
        :param port: the port's number.
        :param timeout: after how many seconds to give up.
        :param bindAddress: the numeric address and port of this end, if it matters.
        """
        factory = self._factory()
        factory.connector = self.reactor.connectTCP(host, port, factory, timeout=timeout, bindAddress=bindAddress)
        return factory.deferred

    def connectUNIX(self, address: str, timeout: float = 30, checkPID: bool = False) -> Deferred[_P]:
        """Connect to a Unix socket.

        :param address: the socket's path.
        :param timeout: after how many seconds to give up.
        :param checkPID: look for the server's lock file first, and fail at once if no living process holds it.
        """
        factory = self._factory()
        factory.connector = self.reactor.connectUNIX(address, factory, timeout=timeout, checkPID=checkPID)
        return factory.deferred

    def connectSSL(
        self,
        host: str,
        port: int,
        contextFactory: Any,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> Deferred[_P]:
        """Connect to a TCP port and speak TLS from the first byte.

        :param host: the host's name, or its numeric address.
        :param port: the port's number.
        :param contextFactory: the settings of the secure connection, as for ``IReactorSSL.connectSSL``.
        :param timeout: after how many seconds to give up.
        :param bindAddress: the numeric address and port of this end, if it matters.
        """
        factory = self._factory()
        factory.connector = self.reactor.connectSSL(
            host, port, factory, contextFactory, timeout=timeout, bindAddress=bindAddress
        )
        return factory.deferred
