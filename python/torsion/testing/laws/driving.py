"""Driving a protocol with bytes, without a peer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from torsion.internet.error import ConnectionDone
from torsion.internet.testing import StringTransport
from torsion.python.failure import Failure

__all__ = ["Outcome", "drive"]


@dataclass(frozen=True)
class Outcome:
    """What a protocol did.

    :ivar written: the bytes that it wrote.
    :ivar closed: whether it closed the connection, in order or at once.
    :ivar error: what came out of one of its hooks, or None.
    :ivar observed: what the law's ``observe`` returned.
    """

    written: bytes
    closed: bool
    error: type[BaseException] | None
    observed: Any = None


def drive(
    new: Callable[[], Any],
    chunks: Iterable[bytes],
    observe: Callable[[Any], Any] | None = None,
    errors: type[BaseException] | tuple[type[BaseException], ...] = (),
    after: Callable[[Any], object] | None = None,
) -> Outcome:
    """Connect a new protocol, give it *chunks*, close the connection, and return what it did.

    As over a real connection, nothing is delivered once the protocol has closed it, or while it is paused.

    :param new: makes a protocol.
    :param chunks: what the peer sends.
    :param observe: called with the protocol before the connection is lost; what it returns is part of the outcome.
    :param errors: what may come out of a hook, and ends the connection; all else is raised.
    :param after: called with the protocol after each chunk; what it raises is raised.
    """
    protocol = new()
    transport = StringTransport(lenient=True)
    error: type[BaseException] | None = None
    try:
        protocol.makeConnection(transport)
        for chunk in chunks:
            if transport.disconnecting or transport.producerState != "producing":
                break
            protocol.dataReceived(chunk)
            if after is not None:
                transport.clear()
                after(protocol)
    except errors as raised:
        error = type(raised)
    observed = None if observe is None else observe(protocol)
    closed = transport.disconnecting or error is not None
    written = transport.value()
    try:
        protocol.connectionLost(Failure(ConnectionDone()))
    except errors as raised:
        error = error or type(raised)
    return Outcome(written, closed, error, observed)
