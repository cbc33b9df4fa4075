"""Two protocols connected by a real socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torsion.internet import _current
from torsion.internet.defer import Deferred, ensureDeferred, maybeDeferred
from torsion.internet.protocol import ClientFactory, ServerFactory
from torsion.internet.protocol.wrapping import ProtocolWrapper, WrappingFactory

if TYPE_CHECKING:
    from torsion.internet.interfaces import IAddress, IConnector
    from torsion.python.failure import Failure

__all__ = ["LoopbackClientFactory", "loopbackTCP", "loopbackUNIX"]


class LoopbackClientFactory(ClientFactory[Any]):
    """Makes one connection, with a protocol that exists already.

    :ivar deferred: fires with None when the connection is lost; fails if it cannot be made.
    """

    def __init__(self, protocol: Any) -> None:
        """Make a factory.

        :param protocol: the protocol, not its class.
        """
        self.disconnected = False
        self.deferred: Deferred[None] = Deferred()
        self.protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return the protocol."""
        return self.protocol

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """Tell whoever waits."""
        self.disconnected = True
        self.deferred.callback(None)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Tell whoever waits."""
        self.deferred.errback(reason)


class _FireOnClose(ProtocolWrapper):
    """Tells when its connection is lost."""

    def __init__(self, factory: WrappingFactory, protocol: Any) -> None:
        super().__init__(factory, protocol)
        self.deferred: Deferred[None] = Deferred()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # nobody calls it without
        super().connectionLost(reason)
        self.deferred.callback(None)


async def _run(
    server: Any, noisy: bool, listen: Callable[[Any], Any], connect: Callable[[Any, Any], Any], client: Any
) -> None:
    """Let two protocols talk over a port: *listen* is given the server's factory, *connect* the port and the client's."""
    inner = ServerFactory[Any].forProtocol(lambda: server)
    inner.noisy = noisy
    outer = WrappingFactory(inner)
    serving = _FireOnClose(outer, server)
    outer.protocol = lambda *_: serving
    port = listen(outer)
    try:
        calling = LoopbackClientFactory(client)
        calling.noisy = noisy
        connect(port, calling)
        await calling.deferred
        await serving.deferred
    finally:
        await maybeDeferred(port.stopListening)


def loopbackTCP(server: Any, client: Any, port: int = 0, noisy: bool = True) -> Deferred[None]:
    """Connect two protocols over TCP, within this machine.

    :param server: the protocol that accepts.
    :param client: the protocol that connects.
    :param port: where to listen; 0 lets the system choose.
    :param noisy: whether to log that it begins and ends.
    :returns: fires with None when both protocols have lost their connection and nothing listens any more; fails if the
        connection cannot be made.
    :raises torsion.internet.error.CannotListenError: if the port is taken.
    """
    reactor = _current.current_reactor()
    return ensureDeferred(
        _run(
            server,
            noisy,
            lambda factory: reactor.listenTCP(port, factory, interface="127.0.0.1"),
            lambda port, factory: reactor.connectTCP("127.0.0.1", port.getHost().port, factory),
            client,
        )
    )


def loopbackUNIX(server: Any, client: Any, noisy: bool = True) -> Deferred[None]:
    """Connect two protocols over a Unix socket, in a folder of its own that is removed afterwards.

    :param server: the protocol that accepts.
    :param client: the protocol that connects.
    :param noisy: whether to log that it begins and ends.
    :returns: fires with None when both protocols have lost their connection and nothing listens any more; fails if the
        connection cannot be made.
    """
    return ensureDeferred(_run_unix(server, client, noisy))


async def _run_unix(server: Any, client: Any, noisy: bool) -> None:
    from tempfile import TemporaryDirectory

    reactor = _current.current_reactor()
    with TemporaryDirectory(prefix="torsion-loopback-") as folder:
        path = f"{folder}/socket"
        await _run(
            server,
            noisy,
            lambda factory: reactor.listenUNIX(path, factory),
            lambda _port, factory: reactor.connectUNIX(path, factory),
            client,
        )
