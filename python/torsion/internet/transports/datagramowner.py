"""What the ports of UDP and of Unix datagrams share: a socket, a protocol, and how the two begin and end."""

from __future__ import annotations

from os import strerror
from typing import TYPE_CHECKING, Any, ClassVar, cast

from torsion.internet import _current
from torsion.internet.transports.dialect import TORSION, Dialect
from torsion.internet.transports.handedover import take

if TYPE_CHECKING:
    import socket

    from torsion._native import Datagram
    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces.handover import ListeningAddress
    from torsion.internet.transports.owner import Home
    from torsion.python.failure import Failure

__all__ = ["MAX_PACKET_SIZE", "DatagramPort"]

MAX_PACKET_SIZE = 8192
"""How much of a datagram is delivered unless a port says otherwise, in bytes; the documented number."""


class DatagramPort:
    """What the ports of UDP and of Unix datagrams share: a socket, a protocol, and how the two begin and end.

    :ivar maxPacketSize: how much of a datagram is delivered at most.
    :ivar maxThroughput: how many bytes the port reads in one turn before others have theirs.
    :ivar connected: whether it listens.
    :ivar disconnected: whether it did and has stopped.
    """

    dialect: ClassVar[Dialect] = TORSION
    """Whose classes protocols are told with."""

    maxThroughput = 256 * 1024

    asked: ListeningAddress | None = None
    """What the reactor's ``sockets`` were asked for, if there are any."""
    adopted: bool = False
    """Whether they had it."""

    write: ClassVar[Any]
    """Sends one datagram; each kind has its own arguments."""
    _own_write: ClassVar[Any]
    """What :attr:`write` is unless a subclass has its own idea of it."""

    def __init__(self, proto: Any, maxPacketSize: int, reactor: Home | None) -> None:
        if not isinstance(maxPacketSize, int) or maxPacketSize < 1:
            raise ValueError(f"maxPacketSize is a number of bytes, 1 or more, not {maxPacketSize!r}")
        self.maxPacketSize = maxPacketSize
        self.connected = self.disconnected = False
        self._reactor = reactor
        self._protocol = proto
        self._socket: Datagram | None = None
        self._stopped: list[Deferred[None]] = []

    @property
    def reactor(self) -> Home:
        """Where the port belongs."""
        if self._reactor is None:
            self._reactor = cast("Home", _current.current_reactor())
        return self._reactor

    @property
    def protocol(self) -> Any:
        """Whom datagrams are delivered to."""
        return self._protocol

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        self._protocol = protocol
        if self._socket is not None:
            self._socket.protocol = protocol

    @property
    def socketType(self) -> int:
        """``SOCK_DGRAM``."""
        from socket import SOCK_DGRAM

        return SOCK_DGRAM

    # --- how it begins -----------------------------------------------------------------------------------------------

    def _begin(self, datagram: Datagram) -> None:
        """Serve the protocol with *datagram*, which was just opened."""
        self._socket = datagram
        self.connected, self.disconnected = True, False
        self.reactor.open_handles[self] = None
        if self.asked is not None and self.reactor.sockets is not None:
            self.reactor.sockets.opened(self.asked, self)  # type: ignore[arg-type]  # each kind says that it is a port
        kind = type(self)
        if kind.write is kind._own_write:  # else: a subclass has its own idea of it
            self.__dict__["write"] = datagram.write  # straight to the socket, without a frame of Python in between
        datagram.pause()
        try:
            self._protocol.makeConnection(self)
        except BaseException:
            self._forget(datagram)
            raise
        if not self._stopped and self._socket is datagram:
            datagram.protocol = self._protocol
            datagram.resume()

    def _taken(self, asked: ListeningAddress) -> Datagram | None:
        """Adopt the socket that the reactor's ``sockets`` have for what is asked for; None if they have none.

        :raises OSError: if nobody can receive there.
        """
        self.asked = asked
        made = take(self.reactor, asked, self)
        self.adopted = made is not None
        return None if made is None else self.reactor.engine.adopt_datagram(made.detach(), self.maxPacketSize, self)

    def given_away(self) -> None:
        """Another process receives at the socket: see ``IHandedPort``.  Files stay in any case."""

    def kept(self) -> None:
        """It does not, after all."""

    def taken_over(self) -> None:
        """The socket that was adopted is this port's alone."""

    # --- what the program calls --------------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """Deliver no datagrams for now. The system keeps those that come, as far as it has room."""
        if self._socket is not None:
            self._socket.pause()

    def resumeProducing(self) -> None:
        """Deliver datagrams again, beginning with those that came meanwhile."""
        if self._socket is not None and not self._stopped:
            self._socket.resume()

    stopReading = pauseProducing
    startReading = resumeProducing

    def stopListening(self) -> Deferred[None] | None:
        """Deliver no more datagrams; soon the socket is closed and ``protocol.doStop`` is called. Until then, datagrams
        may be sent.

        :returns: a Deferred that fires with None after that, or fails with what ``doStop`` raised; None if the port does
            not listen.
        """
        datagram = self._socket
        if datagram is None:
            return None
        if not self._stopped:
            datagram.pause()
            self.reactor.callFromThread(self._finish, datagram)
        stopped: Deferred[None] = self.dialect.Deferred()
        self._stopped.append(stopped)
        return stopped

    def loseConnection(self) -> None:
        """Stop listening, as :meth:`stopListening` does."""
        self.stopListening()

    def getHandle(self) -> socket.socket:
        """Return a socket for this port, to set options that have no method here.

        It is a duplicate: close it when done, or the address stays taken.

        :raises OSError: if the port does not listen.
        """
        import os
        import socket

        return socket.socket(fileno=os.dup(self.fileno()))

    def fileno(self) -> int:
        """Return the descriptor, or -1 if the port does not listen."""
        return -1 if self._socket is None else self._socket.fileno()

    def statistics(self) -> dict[str, int]:
        """Return how many datagrams and bytes were read and written, and how many datagrams were dropped because the
        system had no room for them: ``datagrams_read``, ``bytes_read``, ``datagrams_written``, ``bytes_written``,
        ``datagrams_dropped``. Empty if the port does not listen.
        """
        return {} if self._socket is None else self._socket.statistics()

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this port: its protocol's, and that it is UDP."""
        return f"{self.dialect.log_prefix(self._protocol)} (UDP)"

    # --- how it ends -------------------------------------------------------------------------------------------------

    def _finish(self, datagram: Datagram) -> None:
        if self._socket is datagram:  # else: it has ended meanwhile
            self.connectionLost()

    def abandon(self, reason: Failure) -> None:
        """Stop at once, because the reactor stops."""
        try:
            self.connectionLost(reason)
        except BaseException:  # noqa: BLE001 - whatever a protocol raises, the others are to be stopped as well
            self.dialect.log.failure("doStop of {protocol!r} raised", protocol=self._protocol)

    def _forget(self, datagram: Datagram) -> None:
        self._socket = None
        self.__dict__.pop("write", None)
        self.connected, self.disconnected = False, True
        self.reactor.open_handles.pop(self, None)
        if self.asked is not None and self.reactor.sockets is not None:
            self.reactor.sockets.closed(self.asked, self)  # type: ignore[arg-type]  # as above
        datagram.close()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Close the socket: tell the protocol, and whoever waits. For :meth:`stopListening` to call, and for the reactor
        when it stops.

        :raises Exception: what ``protocol.doStop`` raises, if nobody waits for that.
        """
        datagram = self._socket
        if datagram is None:
            return
        self._forget(datagram)
        self._closed()
        waiting, self._stopped = self._stopped, []
        try:
            self._protocol.doStop()
        except BaseException:
            if not waiting:
                raise
            for deferred in waiting:
                deferred.errback(self.dialect.Failure())
        else:
            for deferred in waiting:
                deferred.callback(None)

    def _closed(self) -> None:
        """Say so in the log."""
        raise NotImplementedError

    # --- what the engine calls ---------------------------------------------------------------------------------------

    def failed(self, errno: int, /) -> None:
        """The system has something to say of the socket."""
        from errno import EBADF, ECONNREFUSED, ECONNRESET, ENOTCONN, ENOTSOCK

        if errno in (
            ECONNREFUSED,
            ECONNRESET,
            ENOTCONN,
        ):  # which it is depends on the system, and on how it comes to light
            if self._has_peer():
                self._protocol.connectionRefused()
        elif errno in (EBADF, ENOTSOCK):
            self.dialect.log.error(
                "{port!r} stops, since somebody else has closed its socket: {error}",
                port=self,
                error=OSError(errno, strerror(errno)),
            )
            self.connectionLost()
        else:
            self.dialect.warn("{port!r} goes on after {error}", port=self, error=OSError(errno, strerror(errno)))

    def unsent(self, address: tuple[str, int], errno: int, /) -> None:
        """An answer was refused by the system after it was written."""
        self.dialect.warn(
            "{port!r} could not answer {address}: {error}",
            port=self,
            address=address,
            error=OSError(errno, strerror(errno)),
        )

    def raised(self, source: object, exception: BaseException, /) -> Failure:
        """A hook raised *exception*: log it."""
        failure: Failure = self.dialect.Failure(exception, type(exception), exception.__traceback__)
        self.dialect.log.failure("Unhandled error in {protocol!r}; its port goes on", failure, protocol=self._protocol)
        return failure

    def _has_peer(self) -> bool:
        raise NotImplementedError
