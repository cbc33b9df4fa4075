"""What listeners and connectors share: they own native streams, and tell their protocols how these end."""

from __future__ import annotations

from itertools import count
from os import strerror
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from torsion._native import REASON_ABORTED, REASON_DONE, REASON_RAISED, REASON_TLS
from torsion.internet.transports.dialect import TORSION, Dialect

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion._native import Engine, Stream
    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IDelayedCall
    from torsion.internet.interfaces.handover import IListeningSockets
    from torsion.internet.transports.tls import TLS
    from torsion.python.failure import Failure

__all__ = ["Handle", "Home", "StreamOwner"]


class Handle(Protocol):
    """What a reactor has to bring to an end when it shuts down, besides streams."""

    def abandon(self, reason: Failure) -> None:
        """End now, on account of *reason*."""


class Home(Protocol):
    """What listeners and connectors ask of the reactor that they belong to."""

    engine: Engine
    open_handles: dict[Handle, None]
    """A set that keeps its order: they end in the order in which they began."""
    disconnecting: bool
    """Whether the reactor, not the program, is closing all connections."""
    tls: TLS
    sockets: IListeningSockets | None
    """Where sockets come from that listen already; None if all are to be bound."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> IDelayedCall:
        """Call a function later."""

    def callFromThread(self, callable: Callable[..., object], *args: object, **kwargs: object) -> None:
        """Call a function in the reactor's thread, soon."""

    def resolve(self, name: str) -> Deferred[str]:
        """Look up the IPv4 address of a host."""

    def addSystemEventTrigger(self, phase: str, eventType: str, callable: Callable[..., Any], *args: object) -> object:
        """Call a function in a phase of an event of the reactor."""


class StreamOwner:
    """Owns native streams: the engine tells it what becomes of them."""

    client: ClassVar[bool] = False
    """Whether this end has made the connections."""
    dialect: ClassVar[Dialect] = TORSION
    """Whose classes protocols and factories are told with."""
    draining: Callable[[], object] | None = None
    """Called after the protocol of a connection was told of its end, while somebody counts them."""

    def __init__(self, reactor: Home) -> None:
        self.reactor = reactor
        self.numbers = count()  # for the connections, as they ask

    def lost(self, stream: Stream, code: int, errno: int, reason: Any, /) -> None:
        """*stream* is gone: tell its protocol."""
        protocol = stream.protocol
        try:
            if protocol is not None:
                stream.protocol = None  # the protocol holds the stream, for as long as it is held itself
                protocol.connectionLost(
                    self.dialect.done() if code == REASON_DONE else self.explain(code, errno, reason)
                )
        finally:
            if self.draining is not None:
                self.draining()

    def explain(self, code: int, errno: int, reason: Any) -> Any:
        """Return why a stream is gone, as a protocol is told."""
        dialect = self.dialect
        if code == REASON_DONE:
            return dialect.done()
        if code == REASON_RAISED and isinstance(reason, dialect.Failure):
            return reason
        if code == REASON_ABORTED and not self.reactor.disconnecting:
            return dialect.aborted()
        if code == REASON_TLS and reason is not None:
            return dialect.Failure(self.reactor.tls.failure(*reason))
        if errno:
            return dialect.broken(OSError(errno, strerror(errno)))
        return dialect.lost()

    def secured(self, stream: Stream, /) -> None:
        """The TLS handshake is over: tell a protocol that wants to know."""
        protocol = stream.protocol
        if self.dialect.handshake_listener(protocol):
            protocol.handshakeCompleted()

    def eof(self, stream: Stream, /) -> bool:
        """The peer sends no more: let the protocol go on sending if it knows of half-closed connections."""
        protocol = stream.protocol
        if not self.dialect.half_closeable(protocol):
            return False
        protocol.readConnectionLost()
        return True

    def write_closed(self, stream: Stream, /) -> None:
        """We send no more."""
        protocol = stream.protocol
        if self.dialect.half_closeable(protocol):
            protocol.writeConnectionLost()

    def raised(self, source: object, exception: BaseException, /) -> Any:
        """A hook raised *exception*: log it, and return it for the protocol's ``connectionLost``."""
        failure = self.dialect.Failure(exception, type(exception), exception.__traceback__)
        self.dialect.log.failure("Unhandled error in {source!r}; its connection is lost", failure, source=source)
        return failure
