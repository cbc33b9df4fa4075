"""What torsion's transports say to programs that were written for Twisted, in Twisted's words."""

from __future__ import annotations

import re
from typing import Any

from twisted.internet import address, defer, error
from twisted.internet.interfaces import (
    IFileDescriptorReceiver,
    IHalfCloseableDescriptor,
    IHalfCloseableProtocol,
    IHandshakeListener,
    ILoggingContext,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.log import msg

from torsion.internet.transports.dialect import Dialect

__all__ = ["TWISTED", "as_text"]

_FIELD = re.compile(r"\{(\w+)!?(r|)\}")


def as_text(host: Any) -> Any:
    """Return *host*, the name or the address of one, as text: for Twisted, both can be bytes as well."""
    return host.decode("ascii", "replace") if isinstance(host, bytes) else host


class _Twisted(Dialect):
    """Twisted's own errors, Failures, Deferreds, addresses, log and interfaces."""

    error = error
    Failure = Failure
    Deferred = defer.Deferred
    maybeDeferred = staticmethod(defer.maybeDeferred)
    IPv4Address = address.IPv4Address
    IPv6Address = address.IPv6Address
    UNIXAddress = address.UNIXAddress
    log = Logger("torsion.interop.twisted")
    half_closeable = IHalfCloseableProtocol.providedBy
    half_closeable_descriptor = IHalfCloseableDescriptor.providedBy
    handshake_listener = IHandshakeListener.providedBy
    receives_descriptors = IFileDescriptorReceiver.providedBy
    logging_context = ILoggingContext

    def note(self, format: str, **values: Any) -> None:
        """Log what happens, as one text, as Twisted's own transports do."""
        msg(format.format(**values))

    def warn(self, format: str, **values: Any) -> None:
        """Log what somebody should look after, as Twisted's own transports do."""
        msg(format=_FIELD.sub(lambda field: f"%({field[1]}){field[2] or 's'}", format), **values)

    # New ones each time: what raises one in Twisted adds to the traceback of its exception, and would do so for ever.

    def done(self) -> Any:
        """Return the Failure for a connection that ended in order."""
        return Failure(error.ConnectionDone())

    def lost(self) -> Any:
        """Return the Failure for a connection that the reactor's end has ended."""
        return Failure(error.ConnectionLost("Connection lost"))

    def broken(self, problem: OSError) -> Any:
        """Return the Failure for a connection that did not end in order: as Twisted's own transports make it, whose text tells no
        more, but with *problem* as its cause."""
        lost = error.ConnectionLost()
        lost.__cause__ = problem
        return Failure(lost)

    def aborted(self) -> Any:
        """Return the Failure for one that was ended here."""
        return Failure(error.ConnectionAborted())


TWISTED = _Twisted()
