"""A TCP connection, as protocols see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import classImplements

from torsion._native import Stream
from torsion.internet.interfaces import (
    IConsumer,
    IFileSendingTransport,
    ILoggingContext,
    INegotiated,
    IPushProducer,
    ISystemHandle,
    ITLSTransport,
)
from torsion.internet.transports.dialect import TORSION
from torsion.internet.transports.files import FileSending
from torsion.internet.transports.tls import Securable, Secured

if TYPE_CHECKING:
    import socket

    from torsion.internet.address import IPv4Address, IPv6Address
    from torsion.internet.transports.owner import Home

    _Stream = Stream
else:
    _Stream = object

__all__ = ["StreamNames", "TCPConnection", "TCPNames", "TLSConnection", "address_of", "log_prefix"]


address_of = TORSION.address_of
log_prefix = TORSION.log_prefix


class StreamNames(_Stream):
    """What a connection over a socket is asked that its stream does not know, whichever engine made that stream."""

    __slots__ = ()

    def getHandle(self) -> socket.socket:
        """Return a socket for this connection, to set options that have no method here.

        It is a duplicate: close it when done, or the peer does not learn that the connection is closed.

        :raises OSError: once the connection is closed.
        """
        import os
        import socket

        return socket.socket(fileno=os.dup(self.fileno()))

    def stopConsuming(self) -> None:
        """Forget the producer and close the connection; for a producer that has no more to give."""
        self.unregisterProducer()
        self.loseConnection()

    @property
    def reactor(self) -> Home:
        """The reactor that serves this connection."""
        return self.owner.reactor  # type: ignore[attr-defined, no-any-return]  # an owner of ours, not any

    @property
    def sessionno(self) -> int:
        """A number that tells this connection from all others of its port, given when it is first asked for."""
        number = self.__dict__.get("sessionno")
        if number is None:
            number = self.__dict__["sessionno"] = next(self.owner.numbers)  # type: ignore[attr-defined]  # an owner of ours, not any
        return int(number)

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this connection: its protocol's, and whom it is with."""
        owner: Any = self.owner
        name = owner.dialect.log_prefix(self.protocol) if self.protocol is not None else "-"
        return f"{name},{owner.label(self)}"

    @property
    def logstr(self) -> str:
        """The same as :meth:`logPrefix`."""
        return self.logPrefix()

    def __repr__(self) -> str:
        name = type(self.protocol).__name__ if self.protocol is not None else type(self).__name__
        state = "" if self.connected else " (closed)"
        return f"<{name} {self.owner.describe(self)}{state}>"  # type: ignore[attr-defined]  # an owner of ours, not any


class TCPNames(StreamNames):
    """As its base, for TCP."""

    __slots__ = ()

    def getHost(self) -> IPv4Address | IPv6Address:
        """Return where this end is."""
        return self.owner.dialect.address_of(self.host_address())  # type: ignore[attr-defined, no-any-return]  # an owner of ours, not any

    def getPeer(self) -> IPv4Address | IPv6Address:
        """Return where the other end is."""
        return self.owner.dialect.address_of(self.peer_address())  # type: ignore[attr-defined, no-any-return]  # an owner of ours, not any


class TCPConnection(Securable, FileSending, TCPNames, Stream):
    """A TCP connection (``ITCPTransport``), accepted or made.

    Nearly all of it is native; what Python adds is rare.  An instance has no attributes of its own until one is set, so
    that idle connections stay small.
    """


class TLSConnection(Secured, TCPConnection):
    """A TCP connection that is secured natively (``ISSLTransport``), from its beginning or since ``startTLS``."""


TCPConnection.secured_class = TLSConnection

classImplements(
    TCPConnection, ITLSTransport, IFileSendingTransport, IConsumer, IPushProducer, ILoggingContext, ISystemHandle
)
classImplements(TLSConnection, INegotiated)
