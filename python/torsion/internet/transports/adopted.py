"""Sockets that were made elsewhere: by the process that started this one, or by another library."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from torsion.internet.error import CannotListenError, UnsupportedAddressFamily
from torsion.internet.transports.listener import Port
from torsion.internet.transports.owner import StreamOwner
from torsion.internet.transports.stream import TCPConnection, address_of
from torsion.internet.transports.unix import Port as UNIXPort
from torsion.internet.transports.unixstream import UNIXServer, UNIXStreamOwner, unix_address_of

if TYPE_CHECKING:
    from torsion._native import Listener
    from torsion.internet.interfaces import IProtocolFactory
    from torsion.internet.transports.owner import Home

__all__ = ["adopt_connection", "adopt_port"]


def _look(descriptor: int, family: int) -> tuple[str, Any]:
    """Return of what kind a stream socket is, and where its peer is, if it has one.

    :raises torsion.internet.error.UnsupportedAddressFamily: if *family* is none that can be served, or not the socket's.
    :raises OSError: if *descriptor* is not open, or no socket.
    """
    import os
    import socket

    kinds = {socket.AF_INET: "TCP", socket.AF_INET6: "TCP", getattr(socket, "AF_UNIX", None): "UNIX"}
    kind = kinds.get(family)
    if kind is None:
        raise UnsupportedAddressFamily(f"a stream socket is of family AF_INET, AF_INET6 or AF_UNIX, not {family!r}")
    copy = os.dup(descriptor)
    try:
        probe = socket.socket(fileno=copy)
    except BaseException:
        os.close(copy)
        raise
    with probe:
        if probe.family != family:
            raise UnsupportedAddressFamily(
                f"the socket {descriptor} is of family {probe.family!r}, not {socket.AddressFamily(family)!r}"
            )
        try:
            return kind, probe.getpeername()
        except OSError as problem:
            if problem.errno not in (errno.ENOTCONN, errno.EINVAL):
                raise
            return kind, None


class _AdoptedPort(Port):
    """A TCP port over a socket that listens already."""

    def __init__(self, descriptor: int, factory: IProtocolFactory, reactor: Home) -> None:
        super().__init__(0, factory, 0, "", reactor)
        self._descriptor: int | None = descriptor

    def open(self) -> Listener:
        """Serve a duplicate of the socket; once."""
        descriptor, self._descriptor = _once(self._descriptor), None
        listener = self.reactor.engine.adopt_listener(descriptor, self, TCPConnection)
        self.interface = str(listener.address()[0])
        return listener


class _AdoptedUNIXPort(UNIXPort):
    """A port over a Unix socket that listens already.  Its file belongs to whoever has made it, and stays."""

    def __init__(self, descriptor: int, factory: IProtocolFactory, reactor: Home) -> None:
        super().__init__("", factory, reactor=reactor)
        self._descriptor: int | None = descriptor

    def open(self) -> Listener:
        """Serve a duplicate of the socket; once."""
        descriptor, self._descriptor = _once(self._descriptor), None
        return self.reactor.engine.adopt_listener(descriptor, self, UNIXServer)

    def opened(self) -> None:
        """Note the path."""
        import os

        self.fileName = os.fsdecode(self.getHost().name or b"")
        self.port = self.fileName  # type: ignore[assignment]


def _once(descriptor: int | None) -> int:
    if descriptor is None:
        problem = OSError(errno.EBADF, "an adopted socket listens once; adopt it anew")
        raise CannotListenError(None, "adopted", problem) from problem
    return descriptor


def adopt_port(descriptor: int, family: int, factory: IProtocolFactory, reactor: Home) -> Port | UNIXPort:
    """Serve a socket that listens already; see ``IReactorSocket``."""
    kind, _ = _look(descriptor, family)
    port = (_AdoptedUNIXPort if kind == "UNIX" else _AdoptedPort)(descriptor, factory, reactor)
    try:
        port.startListening()
    except OSError as problem:
        if problem.errno == errno.EINVAL:
            raise OSError(problem.errno, f"the descriptor {descriptor} is no stream socket that listens") from problem
        raise
    return port


class _Adopted(StreamOwner):
    """Owns one TCP connection that was adopted."""

    def describe(self, stream: TCPConnection) -> str:
        """Tell what *stream* is, for its representation."""
        return f"#{stream.sessionno} on {stream.getHost().port}"

    def label(self, stream: TCPConnection) -> str:
        """Tell what *stream* is, for log lines."""
        return f"{stream.sessionno},{stream.getPeer().host}"


class _AdoptedUNIX(UNIXStreamOwner):
    """Owns one connection over a Unix socket that was adopted."""

    def describe(self, stream: UNIXServer) -> str:
        """Tell what *stream* is, for its representation."""
        return f"#{stream.sessionno} on {_name(stream)}"

    def label(self, stream: UNIXServer) -> str:
        """Tell what *stream* is, for log lines."""
        return f"{stream.sessionno},{_name(stream)}"


def _name(stream: UNIXServer) -> str:
    import os

    return os.fsdecode(stream.getHost().name or b"")


def adopt_connection(descriptor: int, family: int, factory: IProtocolFactory, reactor: Home) -> Any:
    """Serve a socket that is connected already; see ``IReactorSocket``."""
    import os

    kind, peer = _look(descriptor, family)
    if peer is None:
        raise OSError(errno.ENOTCONN, f"the descriptor {descriptor} is no connected stream socket")
    unix = kind == "UNIX"
    # Asked before the socket is taken over, which stays as it is if the answer is no.
    protocol: Any = factory.buildProtocol(unix_address_of(os.fsencode(peer)) if unix else address_of(peer))
    if protocol is None:
        return None
    if unix:
        stream: Any = reactor.engine.adopt_stream(descriptor, _AdoptedUNIX(reactor), UNIXServer)
    else:
        stream = reactor.engine.adopt_stream(descriptor, _Adopted(reactor), TCPConnection)
    stream.protocol = protocol
    try:
        protocol.makeConnection(stream)
    except BaseException:
        stream.protocol = None
        stream.abortConnection()
        raise
    return stream
