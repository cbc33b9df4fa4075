"""What a reactor tells of itself: its connections, ports, loop and threads, for status pages and for draining."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from zope.interface import Interface

from torsion.internet.interfaces.tls import INegotiated

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces.core import IAddress

__all__ = [
    "ConnectionFigures",
    "DatagramFigures",
    "DescriptorFigures",
    "IReactorInspection",
    "ListenerFigures",
    "LoopFigures",
    "ThreadFigures",
]


class ConnectionFigures(NamedTuple):
    """One open stream connection, accepted or made."""

    transport: Any
    """What its protocol writes to; ``abortConnection`` and the like may be asked of it."""
    protocol: Any
    """Whom bytes are for: the program's own protocol, under all that wraps it (a TLS layer, policies); None if nobody listens."""
    listener: Any
    """The port that accepted it; None for a connection that this end has made, or that was adopted."""
    kind: str
    """``"TCP"`` or ``"UNIX"``."""
    opened: float
    """When it was accepted or made: seconds, on the scale of the reactor's ``seconds``."""
    bytesRead: int
    """How many bytes came in, as they are on the wire."""
    bytesWritten: int
    """How many bytes the system has taken."""
    outbox: int
    """How many bytes wait to be sent."""

    @property
    def host(self) -> IAddress:
        """Where this end is."""
        address: IAddress = self.transport.getHost()
        return address

    @property
    def peer(self) -> IAddress:
        """Where the other end is."""
        address: IAddress = self.transport.getPeer()
        return address

    @property
    def secure(self) -> bool:
        """Whether it is, or is about to be, encrypted by TLS."""
        return self._tls() is not None

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The application protocol that was agreed upon with the peer (ALPN, RFC 7301); None if there is none."""
        tls = self._tls()
        return None if tls is None else tls.negotiatedProtocol

    def _tls(self) -> Any:
        """Return what knows of the connection's TLS; None if there is none."""
        if getattr(self.transport, "TLS", False):
            return self.transport
        layer = self.transport.protocol
        while layer is not None:
            if INegotiated.providedBy(layer):
                return layer
            layer = getattr(layer, "wrappedProtocol", None)
        return None

    def age(self, now: float) -> float:
        """Return for how many seconds it has been open by *now*, a time of the reactor's ``seconds``."""
        return now - self.opened


class ListenerFigures(NamedTuple):
    """One port that listens for stream connections."""

    port: Any
    """The ``IListeningPort``."""
    factory: Any
    """What makes its protocols."""
    kind: str
    """``"TCP"``, ``"TLS"`` or ``"UNIX"``."""
    address: Any
    """Where it listens, an ``IAddress``."""
    accepted: int
    """How many connections it has accepted since it began to listen."""
    open: int
    """How many of its connections are open."""


class DatagramFigures(NamedTuple):
    """One port for datagrams."""

    port: Any
    """The ``IListeningPort``."""
    protocol: Any
    """Whom datagrams are delivered to."""
    kind: str
    """``"UDP"`` or ``"UNIX"``."""
    address: Any
    """Where it receives, an ``IAddress``."""
    datagramsRead: int
    """How many datagrams came in."""
    bytesRead: int
    """How many bytes they had."""
    datagramsWritten: int
    """How many datagrams the system has taken."""
    bytesWritten: int
    """How many bytes they had."""
    datagramsDropped: int
    """How many could not be sent because the system had no room for them."""


class DescriptorFigures(NamedTuple):
    """How many descriptors of each sort a reactor serves."""

    connections: int
    """Stream connections."""
    connecting: int
    """Connections in the making."""
    listeners: int
    """Ports that listen for stream connections."""
    datagrams: int
    """Ports for datagrams."""
    pipes: int
    """Pipes and terminals: of child processes, and of standard input and output."""
    watched: int
    """Descriptors that were made elsewhere and are watched for others (``addReader``, ``addWriter``)."""


class LoopFigures(NamedTuple):
    """What a reactor's loop has done.

    A *turn* is what happens between two looks at the descriptors: timers, calls from threads, input and output.  While it
    lasts nothing else is served, so the length of turns is what delays everything.  What turns take is measured from the first
    time on that these figures are asked for.
    """

    now: float
    """When these figures were taken: seconds, on the scale of the reactor's ``seconds``."""
    turns: int
    """How many turns were taken."""
    waits: int
    """How many times it had nothing to do, and waited."""
    busy: float
    """For how many seconds it was at work, in all turns together."""
    longest: float
    """How many seconds the longest turn took since these figures were asked for last; the one that is going on included."""
    histogram: tuple[tuple[float, int], ...]
    """How many turns there were of each length, as pairs: an upper bound in seconds, and how many took that or less, but more
    than the bound before it.  The last bound is infinite.  The bounds never change while a process runs."""
    timers: int
    """How many calls are still to come (``callLater``)."""
    opened: int
    """How many streams (connections, and pipes) were opened since the reactor was made."""
    closed: int
    """How many of these are closed."""


class ThreadFigures(NamedTuple):
    """How the threads stand that ``callInThread`` uses."""

    maximum: int
    """How many there may be."""
    workers: int
    """How many there are."""
    busy: int
    """How many of them are at work."""
    queued: int
    """How many calls wait for a thread."""
    completed: int
    """How many calls were made."""


class IReactorInspection(Interface):
    """A reactor that tells of what it serves.

    All of it is to be asked for in the reactor's thread.  What costs next to nothing is counted whether anybody asks or not, and
    what turns take from the first time on that somebody does; an answer costs in proportion to the number of connections.
    """

    def connections(listener: Any = None) -> list[ConnectionFigures]:
        """Tell of all open stream connections, in no order that means anything; pipes are left out.

        :param listener: a port (``IListeningPort``), to be told of those only that it has accepted.
        """

    def drained(listener: Any) -> Deferred[None]:
        """Wait until no connection that a port has accepted is open any more.

        :param listener: a port (``IListeningPort``) that, as a rule, listens no more.
        :returns: a Deferred that fires with None, at once if there is none now, else when the protocol of the last one was told
            of its end.  It can be cancelled, which changes nothing for the connections.
        """

    def listeners() -> list[ListenerFigures]:
        """Tell of the ports that listen for stream connections, in the order in which they began."""

    def datagramPorts() -> list[DatagramFigures]:
        """Tell of the ports for datagrams, in the order in which they began."""

    def descriptors() -> DescriptorFigures:
        """Tell how many descriptors of each sort are served."""

    def loop() -> LoopFigures:
        """Tell what the loop has done; begins a new measure of :attr:`LoopFigures.longest`."""

    def threads() -> ThreadFigures:
        """Tell how the reactor's threads stand; all zero while it has had none."""
