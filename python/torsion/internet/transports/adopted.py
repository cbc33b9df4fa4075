"""Sockets that were made elsewhere: by the process that started this one, or by another library."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from torsion.internet.transports.dialect import TORSION, Dialect
from torsion.internet.transports.listener import Port
from torsion.internet.transports.owner import StreamOwner
from torsion.internet.transports.stream import TCPConnection
from torsion.internet.transports.unix import Port as UNIXPort
from torsion.internet.transports.unixstream import UNIXServer, UNIXStreamOwner

if TYPE_CHECKING:
    from torsion._native import Listener, Stream
    from torsion.internet.interfaces import IProtocolFactory
    from torsion.internet.transports.owner import Home

__all__ = [
    "AdoptedPort",
    "AdoptedStreams",
    "AdoptedUNIXPort",
    "AdoptedUNIXStreams",
    "Family",
    "adopt_connection",
    "adopt_port",
]


class AdoptedPort(Port):
    """A TCP port over a socket that listens already."""

    def __init__(self, descriptor: int, factory: IProtocolFactory, reactor: Home) -> None:
        super().__init__(0, factory, 0, "", reactor)
        self._descriptor: int | None = descriptor

    def open(self) -> Listener:
        """Serve a duplicate of the socket; once."""
        descriptor, self._descriptor = _once(self._descriptor, self.dialect), None
        listener = self.reactor.engine.adopt_listener(descriptor, self, self.streams)
        self.interface = str(listener.address()[0])
        return listener


class AdoptedUNIXPort(UNIXPort):
    """A port over a Unix socket that listens already.  Its file belongs to whoever has made it, and stays."""

    def __init__(self, descriptor: int, factory: IProtocolFactory, reactor: Home) -> None:
        super().__init__("", factory, reactor=reactor)
        self._descriptor: int | None = descriptor

    def open(self) -> Listener:
        """Serve a duplicate of the socket; once."""
        descriptor, self._descriptor = _once(self._descriptor, self.dialect), None
        return self.reactor.engine.adopt_listener(descriptor, self, self.streams)

    def opened(self) -> None:
        """Note the path."""
        import os

        self.fileName = os.fsdecode(self.getHost().name or b"")
        self.port = self.fileName  # type: ignore[assignment]  # a name instead of a number


def _once(descriptor: int | None, dialect: Dialect) -> int:
    if descriptor is None:
        problem = OSError(errno.EBADF, "an adopted socket listens once; adopt it anew")
        raise dialect.error.CannotListenError(None, "adopted", problem) from problem
    return descriptor


class AdoptedStreams(StreamOwner):
    """Owns one TCP connection that was adopted."""

    streams: ClassVar[type[Stream]] = TCPConnection
    """What it is made to be."""

    def describe(self, stream: TCPConnection) -> str:
        """Tell what *stream* is, for its representation."""
        return f"#{stream.sessionno} on {stream.getHost().port}"

    def label(self, stream: TCPConnection) -> str:
        """Tell what *stream* is, for log lines."""
        return f"{stream.sessionno},{stream.getPeer().host}"


class AdoptedUNIXStreams(UNIXStreamOwner):
    """Owns one connection over a Unix socket that was adopted."""

    streams: ClassVar[type[Stream]] = UNIXServer
    """What it is made to be."""

    def describe(self, stream: UNIXServer) -> str:
        """Tell what *stream* is, for its representation."""
        return f"#{stream.sessionno} on {_name(stream)}"

    def label(self, stream: UNIXServer) -> str:
        """Tell what *stream* is, for log lines."""
        return f"{stream.sessionno},{_name(stream)}"


def _name(stream: UNIXServer) -> str:
    import os

    return os.fsdecode(stream.getHost().name or b"")


class Family(NamedTuple):
    """What adopted sockets become, all in one dialect.

    :ivar dialect: whose errors and addresses programs are told with.
    :ivar port: for a TCP socket that listens.
    :ivar unix_port: for a Unix socket that does.
    :ivar streams: what owns a TCP connection.
    :ivar unix_streams: what owns one over a Unix socket.
    """

    dialect: Dialect = TORSION
    port: type[AdoptedPort] = AdoptedPort
    unix_port: type[AdoptedUNIXPort] = AdoptedUNIXPort
    streams: type[AdoptedStreams] = AdoptedStreams
    unix_streams: type[AdoptedUNIXStreams] = AdoptedUNIXStreams


OWN = Family()


def _look(descriptor: int, family: int, dialect: Dialect) -> tuple[str, Any]:
    """Return of what kind a stream socket is, and where its peer is, if it has one.

    :raises torsion.internet.error.UnsupportedAddressFamily: if *family* is none that can be served, or not the socket's.
    :raises OSError: if *descriptor* is not open, or no socket.
    """
    import os
    import socket

    kinds = {socket.AF_INET: "TCP", socket.AF_INET6: "TCP", getattr(socket, "AF_UNIX", None): "UNIX"}
    kind = kinds.get(family)
    if kind is None:
        problem = f"a stream socket is of family AF_INET, AF_INET6 or AF_UNIX, not {family!r}"
        raise dialect.error.UnsupportedAddressFamily(problem)
    copy = os.dup(descriptor)
    try:
        probe = socket.socket(fileno=copy)
    except BaseException:
        os.close(copy)
        raise
    with probe:
        if probe.family != family:
            problem = f"the socket {descriptor} is of family {probe.family!r}, not {socket.AddressFamily(family)!r}"
            raise dialect.error.UnsupportedAddressFamily(problem)
        try:
            return kind, probe.getpeername()
        except OSError as refused:
            if refused.errno not in (errno.ENOTCONN, errno.EINVAL):
                raise
            return kind, None


def adopt_port(
    descriptor: int, family: int, factory: IProtocolFactory, reactor: Home, become: Family = OWN
) -> AdoptedPort | AdoptedUNIXPort:
    """Serve a socket that listens already; see ``IReactorSocket``.

    :param become: what it is made to be.
    """
    kind, _ = _look(descriptor, family, become.dialect)
    port = (become.unix_port if kind == "UNIX" else become.port)(descriptor, factory, reactor)
    try:
        port.startListening()
    except OSError as problem:
        if problem.errno == errno.EINVAL:
            raise OSError(problem.errno, f"the descriptor {descriptor} is no stream socket that listens") from problem
        raise
    return port


def adopt_connection(
    descriptor: int, family: int, factory: IProtocolFactory, reactor: Home, become: Family = OWN
) -> Any:
    """Serve a socket that is connected already; see ``IReactorSocket``.

    :param become: what it is made to be.
    """
    import os

    kind, peer = _look(descriptor, family, become.dialect)
    if peer is None:
        raise OSError(errno.ENOTCONN, f"the descriptor {descriptor} is no connected stream socket")
    dialect = become.dialect
    unix = kind == "UNIX"
    # Asked before the socket is taken over, which stays as it is if the answer is no.
    address = dialect.unix_address_of(os.fsencode(peer)) if unix else dialect.address_of(peer)
    protocol: Any = factory.buildProtocol(address)
    if protocol is None:
        return None
    kept = become.unix_streams if unix else become.streams
    stream: Any = reactor.engine.adopt_stream(descriptor, kept(reactor), kept.streams)
    stream.protocol = protocol
    try:
        protocol.makeConnection(stream)
    except BaseException:
        stream.protocol = None
        stream.abortConnection()
        raise
    return stream
