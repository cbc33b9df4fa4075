"""Ports over the engine, as Twisted's applications know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IListeningPort, ILoggingContext, ISystemHandle
from zope.interface import implementer

from torsion.internet.transports.listener import BasePort, Port
from torsion.internet.transports.unix import Port as _UNIXPort
from torsion.interop.twisted.dialect import TWISTED
from torsion.interop.twisted.handles import Lending, take_back
from torsion.interop.twisted.posing import Posing
from torsion.interop.twisted.streams import StreamOwning, TCPServer, UNIXServer

if TYPE_CHECKING:
    _Port = BasePort
else:
    _Port = object

__all__ = ["TCPPort", "UNIXPort"]


class _Listening(Posing, Lending, StreamOwning, _Port):
    """What all ports have."""

    dialect = TWISTED
    _paused = False

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
