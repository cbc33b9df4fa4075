"""Whose classes transports use in front of programs: torsion's own, or those of another package with Twisted's API."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.internet import defer, error
from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.interfaces import (
    IFileDescriptorReceiver,
    IHalfCloseableDescriptor,
    IHalfCloseableProtocol,
    IHandshakeListener,
    ILoggingContext,
)
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from typing import Literal

    from torsion._native._core import SocketAddress

__all__ = ["TORSION", "Dialect"]

# Nearly every connection ends in one of these ways, and without a traceback there is nothing in them to tell one end
# from another: so they are made once.
_DONE = Failure(error.ConnectionDone())
_LOST = Failure(error.ConnectionLost())
_ABORTED = Failure(error.ConnectionAborted())


class Dialect:
    """What programs see of a transport besides the transport: errors, Failures, Deferreds, addresses, log events, interfaces.

    Each family of transports has a class attribute *dialect*, which is torsion's.  To have one speak to programs that were
    written for another package with Twisted's API, subclass this and the transports.
    """

    error: ClassVar[Any] = error
    """The module of errors, with Twisted's names."""
    Failure: ClassVar[Any] = Failure
    Deferred: ClassVar[Any] = defer.Deferred
    maybeDeferred: ClassVar[Any] = staticmethod(defer.maybeDeferred)
    IPv4Address: ClassVar[Any] = IPv4Address
    IPv6Address: ClassVar[Any] = IPv6Address
    UNIXAddress: ClassVar[Any] = UNIXAddress
    log: ClassVar[Any] = staticmethod(Logger("torsion.internet.transports"))  # type: ignore[arg-type]  # no function: so it keeps its name in a class

    half_closeable: ClassVar[Any] = IHalfCloseableProtocol.providedBy
    """Tells whether a protocol knows of half-closed connections."""
    half_closeable_descriptor: ClassVar[Any] = IHalfCloseableDescriptor.providedBy
    """Tells that of somebody else's descriptor."""
    handshake_listener: ClassVar[Any] = IHandshakeListener.providedBy
    """Tells whether a protocol wants to know when TLS stands."""
    receives_descriptors: ClassVar[Any] = IFileDescriptorReceiver.providedBy
    """Tells whether a protocol has a use for descriptors that are passed to it."""
    logging_context: ClassVar[Any] = ILoggingContext
    """The interface of what tells by what name log lines are to call it."""

    def done(self) -> Any:
        """Return the Failure for a connection that ended in order."""
        return _DONE

    def lost(self) -> Any:
        """Return the Failure for a connection that did not."""
        return _LOST

    def broken(self, problem: OSError) -> Any:
        """Return the Failure for a connection that did not end in order, with what the system says of it."""
        return self.Failure(self.error.ConnectionLost(problem))

    def aborted(self) -> Any:
        """Return the Failure for one that was ended here."""
        return _ABORTED

    def address_of(self, address: SocketAddress, type: Literal["TCP", "UDP"] = "TCP") -> Any:
        """Return *address*, as the engine has it, as the class that there is for its family.

        An address that is good on one link only is given with its scope, such as ``fe80::1%eth0``: without, nobody could
        connect to it.
        """
        if len(address) == 2:
            return self.IPv4Address(type, *address)
        host, port, flow, scope = address
        if scope:
            from socket import if_indextoname

            with suppress(OSError):  # that link is gone
                host = f"{host}%{if_indextoname(scope)}"
        return self.IPv6Address(type, host, port, flow, scope)

    def unix_address_of(self, address: bytes) -> Any:
        """Return *address*, as the engine has it, as the class that there is; a socket without one is called None."""
        return self.UNIXAddress(address or None)

    def note(self, format: str, **values: Any) -> None:
        """Log what happens in the normal course of things."""
        self.log.info(format, **values)

    def warn(self, format: str, **values: Any) -> None:
        """Log what somebody should look after."""
        self.log.warn(format, **values)  # noqa: G010 - it is not the standard library's

    def log_prefix(self, thing: object) -> str:
        """Return by what name log lines are to call *thing*."""
        context = self.logging_context(thing, None)
        return type(thing).__name__ if context is None else str(context.logPrefix())


TORSION = Dialect()
