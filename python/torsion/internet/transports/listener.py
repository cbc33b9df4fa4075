"""A port: it listens, and gives each connection to a protocol."""

from __future__ import annotations

from os import strerror
from typing import TYPE_CHECKING, Any, ClassVar

from zope.interface import implementer

from torsion.internet.interfaces import IListeningPort, ILoggingContext, ISystemHandle
from torsion.internet.interfaces.handover import IHandedPort
from torsion.internet.transports.handedover import inet_address, listens, take
from torsion.internet.transports.numeric import port_number, resolve_interface
from torsion.internet.transports.owner import Home, StreamOwner
from torsion.internet.transports.stream import TCPConnection
from torsion.python.reflect import qual

if TYPE_CHECKING:
    import socket

    from torsion._native import Listener, Stream
    from torsion._native._core import SocketAddress
    from torsion.internet.address import IPv4Address, IPv6Address
    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IProtocolFactory
    from torsion.internet.interfaces.handover import ListeningAddress
    from torsion.python.failure import Failure

__all__ = ["BasePort", "Port"]


@implementer(IListeningPort, IHandedPort, ILoggingContext, ISystemHandle)
class BasePort(StreamOwner):
    """A port of any kind (``IListeningPort``); it can be made to listen again after it stopped.

    :ivar factory: asked for a protocol for each connection.
    :ivar connected: whether it listens.
    :ivar disconnected: whether it did and has stopped.
    :ivar asked: what the reactor's ``sockets`` were asked for, if there are any.
    """

    kind: str = "TCP"
    """What it speaks, for log lines."""
    asked: ListeningAddress | None = None
    streams: ClassVar[type[Stream]]
    """What its connections are."""

    def __init__(self, factory: IProtocolFactory, backlog: int, reactor: Home) -> None:
        super().__init__(reactor)
        self.factory = factory
        self.backlog = backlog
        self.connected = self.disconnected = False
        self._listener: Listener | None = None
        self._stopped: list[Deferred[None]] = []
        self._host: Any = None

    # --- what each kind does in its own way --------------------------------------------------------------------------

    def open(self) -> Listener:
        """Begin to listen, and return what does.

        :raises torsion.internet.error.CannotListenError: if that cannot be done.
        """
        raise NotImplementedError

    def opened(self) -> None:
        """It listens; where is known."""

    def closed(self) -> None:
        """It does not listen any more.  Must not raise."""

    def given_away(self) -> None:
        """Another process serves the socket: see ``IHandedPort``."""

    def kept(self) -> None:
        """It does not, after all."""

    def taken_over(self) -> None:
        """The socket that was adopted is this port's alone."""

    def locate(self, address: Any) -> Any:
        """Return *address*, as the engine has it, as an ``IAddress``."""
        raise NotImplementedError

    def place(self) -> object:
        """Return where it listens, for log lines."""
        raise NotImplementedError

    def factory_name(self) -> str:
        """Return by what name log lines are to call the factory."""
        return self.dialect.log_prefix(self.factory)

    def hand_over(self, asked: ListeningAddress) -> Listener | None:
        """Adopt the socket that the reactor's ``sockets`` have for what is asked for; None if they have none.

        :raises OSError: if nobody can listen there.
        """
        self.asked = asked
        made = take(self.reactor, asked, self)
        if made is None:
            return None
        with made:
            if not listens(made):
                made.listen(self.backlog)
            return self.reactor.engine.adopt_listener(made.fileno(), self, self.streams)

    # --- what the program calls --------------------------------------------------------------------------------------

    def startListening(self) -> None:
        """Begin to listen: see ``IListeningPort``.

        :raises torsion.internet.error.CannotListenError: if the address is taken, not ours or not to be used.
        :raises TypeError: if the address is of a wrong type.
        """
        if self._listener is not None:
            return
        listener = self.open()
        try:
            self._host = self.locate(listener.address())
            self.opened()
            self._say_started()
            self.factory.doStart()
        except BaseException:
            listener.close()
            self.closed()
            raise
        self._listener = listener
        self.connected, self.disconnected = True, False
        self.reactor.open_handles[self] = None
        if self.asked is not None and self.reactor.sockets is not None:
            self.reactor.sockets.opened(self.asked, self)

    def _say_started(self) -> None:
        self.dialect.note("{factory} starting on {place!r}", factory=self.factory_name(), place=self.place())

    def stopListening(self) -> Deferred[None] | None:
        """Cease to listen; the address is free at once, and ``factory.doStop`` is called soon.

        :returns: a Deferred that fires with None after that, or fails with what ``doStop`` raised; None if the port does
            not listen.
        """
        listener = self._listener
        if listener is None:
            return None
        stopped: Deferred[None] = self.dialect.Deferred()
        if not self._stopped:
            listener.close()
            self.reactor.callFromThread(self._finish, listener)
        self._stopped.append(stopped)
        return stopped

    loseConnection = stopListening

    def getHost(self) -> Any:
        """Return where the port listens, or last did.

        :raises RuntimeError: if it never has.
        """
        if self._host is None:
            raise RuntimeError(f"{self!r} has no address yet; call startListening first")
        return self._host

    def getHandle(self) -> socket.socket:
        """Return a socket for this port, to set options that have no method here.

        It is a duplicate: close it when done, or the address stays taken.

        :raises OSError: if the port does not listen.
        """
        import os
        import socket

        return socket.socket(fileno=os.dup(-1 if self._listener is None else self._listener.fileno()))

    def fileno(self) -> int:
        """Return the descriptor, or -1 if the port does not listen."""
        return -1 if self._listener is None else self._listener.fileno()

    def accepted_so_far(self) -> int:
        """Return how many connections it has accepted since it began to listen; 0 if it does not listen."""
        return 0 if self._listener is None else self._listener.accepted()

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this port: its factory's class."""
        return qual(type(self.factory))

    # --- how it ends -------------------------------------------------------------------------------------------------

    def _finish(self, listener: Listener) -> None:
        if self._listener is listener:  # else: the reactor has stopped meanwhile and done this
            self.connectionLost(self.dialect.done())

    def abandon(self, reason: Failure) -> None:
        """Stop at once, because the reactor stops."""
        try:
            self.connectionLost(reason)
        except BaseException:  # noqa: BLE001 - whatever a factory raises, the others are to be stopped as well
            self.dialect.log.failure("doStop of {factory!r} raised", factory=self.factory)

    def connectionLost(self, reason: Failure) -> None:
        """Have stopped: tell the factory, and whoever waits.

        :raises Exception: what ``factory.doStop`` raises, if nobody waits for that.
        """
        listener = self._listener
        if listener is None:
            return
        self.dialect.note("({kind} Port {place} Closed)", kind=self.kind, place=self.place())
        listener.close()
        self._listener = None
        self.connected, self.disconnected = False, True
        self.closed()
        self.reactor.open_handles.pop(self, None)
        if self.asked is not None and self.reactor.sockets is not None:
            self.reactor.sockets.closed(self.asked, self)
        waiting, self._stopped = self._stopped, []
        try:
            self.factory.doStop()
        except BaseException:
            if not waiting:
                raise
            for deferred in waiting:
                deferred.errback(self.dialect.Failure())
        else:
            for deferred in waiting:
                deferred.callback(None)

    # --- what the engine calls ---------------------------------------------------------------------------------------

    def accepted(self, stream: Stream, address: Any, /) -> None:
        """A connection came in: make it a protocol."""
        protocol: Any = self.factory.buildProtocol(self.locate(address))
        if protocol is None:
            stream.loseConnection()
        else:
            stream.protocol = protocol
            protocol.makeConnection(stream)

    def accept_failed(self, errno: int, /) -> None:
        """Connections cannot be accepted, most likely for want of descriptors; those that wait are turned away meanwhile."""
        self.dialect.log.error(
            "Cannot accept connections at {port!r}: {error}", port=self, error=OSError(errno, strerror(errno))
        )


class Port(BasePort):
    """A TCP port.

    :ivar port: the number that was asked for, or the real one while it listens.
    :ivar interface: the address that was asked for; empty for all.
    :ivar reusePort: whether other ports may listen at the same address, if they say so as well.
    """

    streams: ClassVar[type[Stream]] = TCPConnection
    """What its connections are."""

    def __init__(
        self,
        port: int,
        factory: IProtocolFactory,
        backlog: int,
        interface: str,
        reactor: Home,
        reusePort: bool = False,
    ) -> None:
        super().__init__(factory, backlog, reactor)
        self.port = self._asked = port
        self.interface = interface
        self.reusePort = reusePort

    def open(self) -> Listener:
        """Listen at the interface and port that were asked for."""
        try:
            address = resolve_interface(self.interface, port_number(self.port))
            if self.reactor.sockets is not None:
                listener = self.hand_over(inet_address("TCP", address))
                if listener is not None:
                    return listener
            return self.listen_at(address)
        except (OSError, OverflowError, ValueError) as error:  # ValueError: it can be no name
            raise self.dialect.error.CannotListenError(self.interface, self.port, error) from error

    def listen_at(self, address: Any) -> Listener:
        """Listen at *address*, as the engine has it.

        :raises OSError: if that cannot be done.
        """
        options = {"reuse_port": True} if self.reusePort else {}  # not every engine knows of it
        return self.reactor.engine.listen(address, self.backlog, self, self.streams, **options)

    def opened(self) -> None:
        """Note the port's number, which the system may have chosen."""
        self._asked, self.port = self.port, self._host.port

    def closed(self) -> None:
        """Forget that number."""
        self.port = self._asked

    def locate(self, address: SocketAddress) -> IPv4Address | IPv6Address:
        """Return *address* as an ``IAddress``."""
        return self.dialect.address_of(address)  # type: ignore[no-any-return]  # the dialect's class

    def place(self) -> object:
        """Return the port's number."""
        return self.port

    def getHost(self) -> IPv4Address | IPv6Address:
        """Return where the port listens, or last did.

        :raises RuntimeError: if it never has.
        """
        host: IPv4Address | IPv6Address = super().getHost()
        return host

    def __repr__(self) -> str:
        where = f"on {self.interface or '*'}:{self.port}" if self.connected else "(not listening)"
        return f"<{type(self).__name__} of {qual(type(self.factory))} {where}>"

    def describe(self, stream: TCPConnection) -> str:
        """Tell what *stream* is, for its representation."""
        return f"#{stream.sessionno} on {self.port}"

    def label(self, stream: TCPConnection) -> str:
        """Tell what *stream* is, for log lines."""
        return f"{stream.sessionno},{stream.peer_address()[0]}"
