"""Ports over the engine, as Twisted's applications know them."""

from __future__ import annotations

import os
from socket import AF_INET, AF_INET6, AF_UNIX, SO_REUSEADDR, SO_REUSEPORT, SOCK_STREAM, SOL_SOCKET
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet import tcp, unix
from twisted.internet.base import BasePort
from twisted.internet.interfaces import IListeningPort, ILoggingContext, ISystemHandle
from zope.interface import implementer

from torsion.internet.transports.listener import Port
from torsion.internet.transports.unix import Port as _UNIXPort
from torsion.internet.transports.unixpath import check_path, is_abstract
from torsion.interop.twisted.dialect import TWISTED
from torsion.interop.twisted.handles import Lending, take_back
from torsion.interop.twisted.posing import Posing
from torsion.interop.twisted.streams import StreamOwning, TCPServer, UNIXServer

if TYPE_CHECKING:
    import socket

    from torsion._native import Listener
    from torsion.internet.transports.listener import BasePort as _Port
else:
    _Port = object

__all__ = ["TCPPort", "UNIXPort"]


class _Listening(Posing, Lending, StreamOwning, _Port):
    """What all ports have."""

    dialect = TWISTED
    _paused = False

    addressFamily: int
    """Of which family its socket is; known when it begins to listen."""
    socketType: int = SOCK_STREAM
    """Of which type its socket is."""

    def createInternetSocket(self) -> socket.socket:
        """Return a socket that is not bound yet, of the two above.

        Twisted's own ports make theirs so as well, and programs that replace ``twisted.internet.base.BasePort``'s, to set
        options of their own, reach these.
        """
        made: socket.socket = BasePort.createInternetSocket(self)  # which asks it for no more than the above
        return made

    def listen_at(self, address: Any) -> Listener:
        """Listen at *address* with a socket made so, which the engine takes over."""
        self.addressFamily = self.family_of(address)
        with self.createInternetSocket() as made:
            self.bind(made, address)
            return self.reactor.engine.adopt_listener(made.fileno(), self, self.streams)

    if TYPE_CHECKING:
        streams: ClassVar[Any]

        def family_of(self, address: Any) -> int:
            """Return the family of *address*."""

        def bind(self, made: socket.socket, address: Any) -> None:
            """Bind the socket that was *made*, and let it listen."""

    def discard(self) -> None:
        """The descriptor was closed by somebody who goes on with a duplicate."""
        if self._listener is not None:
            self._listener.close()

    def pauseProducing(self) -> None:
        """Accept nothing for now."""
        if self._listener is not None:
            self._paused = True
            self._listener.pause()

    def resumeProducing(self) -> None:
        """Accept again."""
        if self._listener is not None:
            self._paused = False
            self._listener.resume()

    @property
    def reading(self) -> bool:
        """Whether connections are accepted."""
        return self._listener is not None and not self._paused

    stopReading = pauseProducing
    startReading = resumeProducing

    def connectionLost(self, reason: Any) -> None:
        """Have stopped."""
        take_back(self)
        super().connectionLost(reason)


@implementer(IListeningPort, ILoggingContext, ISystemHandle)
class TCPPort(_Listening, Port):
    """A TCP port."""

    poses_as = tcp.Port
    streams = TCPServer
    reuseAddress = True
    """Whether the address can be used again at once when its last user has gone."""

    def family_of(self, address: Any) -> int:
        """Return the family of *address*."""
        return AF_INET if len(address) == 2 else AF_INET6

    def bind(self, made: socket.socket, address: Any) -> None:
        """Bind the socket that was *made*, and let it listen."""
        for wanted, option in ((self.reuseAddress, SO_REUSEADDR), (self.reusePort, SO_REUSEPORT)):
            if wanted:
                made.setsockopt(SOL_SOCKET, option, 1)
        made.bind(address)
        made.listen(self.backlog)

    def label(self, stream: Any) -> str:
        """Tell what *stream* is, for log lines."""
        return f"{stream.sessionno},{stream.getPeer().host}"

    @property
    def _realPortNumber(self) -> int | None:  # by which programs know it, although it was never theirs
        return None if self._host is None or not self.connected else self._host.port


@implementer(IListeningPort, ILoggingContext, ISystemHandle)
class UNIXPort(_Listening, _UNIXPort):
    """A port at a path."""

    poses_as = unix.Port
    streams: ClassVar[Any] = UNIXServer

    def family_of(self, address: Any) -> int:
        """Return the family of all paths."""
        return AF_UNIX

    def bind(self, made: socket.socket, address: bytes) -> None:
        """Bind the socket that was *made* to a path, and let it listen."""
        check_path(address)
        made.bind(address)
        if is_abstract(address):
            made.listen(self.backlog)
            return
        try:
            os.chmod(address, self.mode)  # noqa: PTH101 - pathlib takes no bytes
            made.listen(self.backlog)  # nobody can connect before that
        except BaseException:
            os.unlink(address)  # noqa: PTH108 - as above
            raise
