"""A connection over a Unix socket, as protocols see it, and what its owner does with descriptors that come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import classImplements

from torsion._native import REASON_OVERRUN, Stream
from torsion.internet.interfaces import (
    IConsumer,
    IFileSendingTransport,
    ILoggingContext,
    INegotiated,
    IPushProducer,
    ISystemHandle,
    ITLSTransport,
    IUNIXTransport,
)
from torsion.internet.transports.dialect import TORSION
from torsion.internet.transports.files import FileSending
from torsion.internet.transports.owner import StreamOwner
from torsion.internet.transports.stream import StreamNames
from torsion.internet.transports.tls import Securable, Secured

if TYPE_CHECKING:
    from torsion.internet.address import UNIXAddress

    _Stream = Stream
else:
    _Stream = object

__all__ = ["UNIXClient", "UNIXConnection", "UNIXNames", "UNIXServer", "UNIXStreamOwner", "unix_address_of"]

unix_address_of = TORSION.unix_address_of


class UNIXNames(StreamNames):
    """What a connection over a Unix socket is asked that its stream does not know, whichever engine made that stream."""

    __slots__ = ()

    def getHost(self) -> UNIXAddress:
        """Return where this end is: for a client most often nowhere, a ``UNIXAddress`` without a name."""
        return self.owner.dialect.unix_address_of(self.host_address())  # type: ignore[attr-defined, no-any-return]  # an owner of ours, whose dialect has the class

    def getPeer(self) -> UNIXAddress:
        """Return where the other end is, as :meth:`getHost`."""
        return self.owner.dialect.unix_address_of(self.peer_address())  # type: ignore[attr-defined, no-any-return]  # an owner of ours, whose dialect has the class

    def sendFileDescriptor(self, descriptor: int) -> None:
        """Send an open file to the peer, along with the byte that is written next.

        :param descriptor: the file's number; it may be closed here as soon as this returns.
        :raises OSError: if it is not open, or this process has no descriptor left for the time until it is sent.
        :raises torsion.internet.error.FileDescriptorRefused: if the connection is secure.
        """
        if self.TLS:  # type: ignore[attr-defined]  # those above know that
            from torsion.internet.error import FileDescriptorRefused

            raise FileDescriptorRefused(
                f"descriptor {descriptor} cannot be sent: TLS was started on this connection, and carries bytes only; "
                "send descriptors before startTLS, or over another connection"
            )
        self.send_descriptor(descriptor)

    def getTcpNoDelay(self) -> bool:
        """Return False: nothing is ever delayed here."""
        return False

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Do nothing, as nothing is ever delayed here."""


class UNIXConnection(Securable, FileSending, UNIXNames, Stream):
    """A connection over a Unix socket (``IUNIXTransport``, ``ITLSTransport``)."""


class UNIXServer(UNIXConnection):
    """One that was accepted."""


class UNIXClient(UNIXConnection):
    """One that was made."""


class SecureUNIXConnection(Secured, UNIXConnection):
    """One that was secured natively by ``startTLS``."""


UNIXConnection.secured_class = SecureUNIXConnection

classImplements(
    UNIXConnection,
    IUNIXTransport,
    ITLSTransport,
    IFileSendingTransport,
    IConsumer,
    IPushProducer,
    ILoggingContext,
    ISystemHandle,
)
classImplements(SecureUNIXConnection, INegotiated)


class UNIXStreamOwner(StreamOwner):
    """Owns streams over Unix sockets: hands descriptors that come in to their protocols."""

    def passed(self, stream: Any, descriptors: list[int], /) -> None:
        """*descriptors* came in, ours to close: give them to the protocol.

        Those that are left when the protocol raises, or that it has no use for, are closed.
        """
        try:
            while descriptors and self.dialect.receives_descriptors(stream.protocol):
                stream.protocol.fileDescriptorReceived(descriptors.pop(0))
        finally:
            if descriptors:
                import os

                for descriptor in descriptors:
                    os.close(descriptor)
        if not self.dialect.receives_descriptors(stream.protocol):
            self._tell_unwanted(stream)

    def _tell_unwanted(self, stream: Any) -> None:
        told = stream.__dict__  # once for each connection, or a peer could fill the log
        if not told.get("_told_of_descriptors"):
            told["_told_of_descriptors"] = True
            self.dialect.warn(
                "{protocolName} (on {hostAddress!r}) does not provide IFileDescriptorReceiver; closing file descriptor "
                "received (from {peerAddress!r}).",
                protocolName=self.dialect.log_prefix(stream.protocol),
                hostAddress=stream.getHost(),
                peerAddress=stream.getPeer(),
            )

    def explain(self, code: int, errno: int, reason: Any) -> Any:
        """Return why a stream is gone, as a protocol is told."""
        if code == REASON_OVERRUN:
            return self.dialect.Failure(self.dialect.error.FileDescriptorOverrun())
        return super().explain(code, errno, reason)
