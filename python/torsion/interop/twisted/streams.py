"""Connections over native streams that provide Twisted's interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet import tcp, unix
from twisted.internet.interfaces import (
    IConsumer,
    ILoggingContext,
    INegotiated,
    IPushProducer,
    ISystemHandle,
    ITCPTransport,
    ITLSTransport,
    IUNIXTransport,
)
from zope.interface import classImplements

from torsion._native import REASON_RAISED, Stream
from torsion.internet.transports.stream import TCPConnection
from torsion.internet.transports.unixstream import UNIXConnection
from torsion.interop.twisted.handles import lent, take_back
from torsion.interop.twisted.posing import Posing

if TYPE_CHECKING:
    import socket

    _Stream = Stream
else:
    _Stream = object

__all__ = ["StreamOwning", "TCPClient", "TCPServer", "UNIXClient", "UNIXServer"]


class _Known(Posing, _Stream):
    """What Twisted's programs know of connections besides their interfaces."""

    __slots__ = ()

    secured_class: ClassVar[type[Any] | None] = None
    secure_interface: ClassVar[Any] = INegotiated

    def getHandle(self) -> socket.socket:
        """Return the connection's socket, to set options that have no method here."""
        return lent(self, self.fileno())

    @property
    def socket(self) -> socket.socket:
        """The same, also of a connection that was secured since: its handle is OpenSSL's then."""
        return lent(self, self.fileno())

    @property
    def bufferSize(self) -> int:
        """Beyond how many bytes that wait to be sent a streaming producer is paused."""
        return int(self.__dict__.get("_buffer_size", 65536))

    @bufferSize.setter
    def bufferSize(self, size: int) -> None:
        self.set_high_water(size)
        self.__dict__["_buffer_size"] = size

    @property
    def logstr(self) -> str:
        """By what name log lines are to call the connection."""
        return self.logPrefix()  # type: ignore[attr-defined, no-any-return]  # the class that it is mixed with has it

    def abortConnection(self) -> None:
        """Close at once, and reset the connection."""
        if _is_being_accepted(self):
            # If the other end is in this process as well, it expects to hear of the connection first.
            self.pauseProducing()
            owner: Any = self.owner
            owner.reactor.callLater(0, super().abortConnection)
        else:
            super().abortConnection()

    def bypass(self) -> Any:
        """Return the way past the stream's divert: see the native method."""
        way = super().bypass()
        return _BypassOfNew(self, way) if _is_being_accepted(self) else way

    def connectionLost(self, reason: Any) -> None:
        """Be gone, now: for those that have removed it from its reactor."""
        if not self.connected:
            return
        owner, producer = self.owner, self.producer
        self.discard()
        if producer is not None:
            producer.stopProducing()
        owner.lost(self, REASON_RAISED, 0, reason)


def _is_being_accepted(stream: Any) -> bool:
    owner = stream.owner
    return owner.reactor.engine.serving() is owner


class _BypassOfNew:
    """The way past the divert of a stream that is secured before anybody else has heard of it: as the native way, but an abort waits
    as long as that of such a stream does."""

    def __init__(self, stream: Any, way: Any) -> None:
        self._stream = stream
        self._way = way
        self.write, self.writeSequence = way.write, way.writeSequence  # with nothing in between

    def abortConnection(self) -> None:
        """Close at once, and reset the connection."""
        if _is_being_accepted(self._stream):
            self._way.pauseProducing()
            self._stream.owner.reactor.callLater(0, self._way.abortConnection)
        else:
            self._way.abortConnection()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._way, name)


class _Client(_Known):
    """What is known of connections that were made here."""

    __slots__ = ()

    @property
    def addr(self) -> Any:
        """Whom it is connected to."""
        return self.peer_address()

    def __repr__(self) -> str:
        return f"<{self.__class__} to {self.addr} at {id(self):x}>"


class TCPServer(_Known, TCPConnection):
    """A TCP connection that came in (``ITLSTransport``)."""

    poses_as = tcp.Server


class TCPClient(_Client, TCPConnection):
    """A TCP connection that was made (``ITLSTransport``)."""

    poses_as = tcp.Client


class UNIXServer(_Known, UNIXConnection):
    """A connection over a Unix socket that came in (``IUNIXTransport``, ``ITLSTransport``)."""

    poses_as = unix.Server


class UNIXClient(_Client, UNIXConnection):
    """A connection over a Unix socket that was made (``IUNIXTransport``, ``ITLSTransport``)."""

    poses_as = unix.Client


_COMMON = (ITLSTransport, ITCPTransport, IConsumer, IPushProducer, ILoggingContext, ISystemHandle)
classImplements(TCPServer, *_COMMON)  # type: ignore[misc]  # native classes are none to the plugin
classImplements(TCPClient, *_COMMON)  # type: ignore[misc]  # native classes are none to the plugin
classImplements(UNIXServer, IUNIXTransport, *_COMMON)  # type: ignore[misc]  # native classes are none to the plugin
classImplements(UNIXClient, IUNIXTransport, *_COMMON)  # type: ignore[misc]  # native classes are none to the plugin


class StreamOwning:
    """A part of ports and connectors: takes back what their connections have lent."""

    def lost(self, stream: Any, code: int, errno: int, reason: Any, /) -> None:
        """*stream* is gone: nobody may use its socket any more."""
        if stream.__dict__:
            take_back(stream)
        super().lost(stream, code, errno, reason)  # type: ignore[misc]  # as above
