"""What the tests of datagrams share: a protocol that tells what happens to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.protocol import ConnectedDatagramProtocol, DatagramProtocol

LOCAL = "127.0.0.1"


class Post(DatagramProtocol):
    """Notes what it is told, can wait for it, and does what a test asks for in any hook.

    ``do`` maps a hook's name to a callable that is called with the protocol when the hook is.
    """

    noisy = False

    def __init__(self, do: dict[str, Callable[[Any], Any]] | None = None) -> None:
        self.do = do or {}
        self.events: list[str] = []
        self.datagrams: list[bytes] = []
        self.senders: list[Any] = []
        self.waits: list[tuple[int, Deferred[list[bytes]]]] = []
        self.refused: Deferred[None] = Deferred()
        self.failure: Any = None

    def note(self, hook: str) -> None:
        self.events.append(hook)
        action = self.do.get(hook)
        if action is not None:
            action(self)

    def startProtocol(self) -> None:
        self.note("startProtocol")

    def stopProtocol(self) -> None:
        self.note("stopProtocol")

    def datagramReceived(self, datagram: bytes, addr: Any = None) -> None:
        self.datagrams.append(datagram)
        self.senders.append(addr)
        try:
            self.note("datagramReceived")
        finally:
            for wait in list(self.waits):
                if len(self.datagrams) >= wait[0]:
                    self.waits.remove(wait)
                    wait[1].callback(self.datagrams)

    def connectionRefused(self) -> None:
        self.note("connectionRefused")
        if not self.refused.called:
            self.refused.callback(None)

    def got(self, count: int) -> Awaitable[list[bytes]]:
        """Wait until *count* datagrams have come in altogether."""
        deferred: Deferred[list[bytes]] = Deferred()
        if len(self.datagrams) >= count:
            deferred.callback(self.datagrams)
        else:
            self.waits.append((count, deferred))
        return deferred


class OnePeer(Post, ConnectedDatagramProtocol):
    """The same for a connected Unix socket."""

    def connectionFailed(self, failure: Any) -> None:
        self.note("connectionFailed")
        self.failure = failure


def echo(post: Any) -> None:
    """Send the last datagram back."""
    post.transport.write(post.datagrams[-1], post.senders[-1])


def address(port: Any) -> tuple[str, int]:
    """Return where datagrams reach *port*."""
    host = port.getHost()
    return host.host, host.port


def port(reactor: Any, do: dict[str, Callable[[Any], Any]] | None = None, **options: Any) -> tuple[Any, Any]:
    """Return a UDP port of the loopback, and its protocol."""
    post = Post(do)
    options.setdefault("interface", LOCAL)
    return reactor.listenUDP(0, post, **options), post
