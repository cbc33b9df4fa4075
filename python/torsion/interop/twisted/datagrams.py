"""UDP ports, multicast and Unix datagrams over the engine, as Twisted's applications know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet import udp, unix
from twisted.internet.interfaces import (
    IListeningPort,
    ILoggingContext,
    IMulticastTransport,
    ISystemHandle,
    IUDPTransport,
    IUNIXDatagramConnectedTransport,
    IUNIXDatagramTransport,
)
from zope.interface import implementer

from torsion.internet.error import InvalidAddressError, MessageLengthError
from torsion.internet.transports.datagram import AdoptedUDPPort as _AdoptedUDPPort
from torsion.internet.transports.datagram import UDPPort as _UDPPort
from torsion.internet.transports.datagramowner import DatagramPort
from torsion.internet.transports.multicast import MulticastPort as _MulticastPort
from torsion.internet.transports.unixdatagram import ConnectedUNIXDatagramPort as _ConnectedUNIXDatagramPort
from torsion.internet.transports.unixdatagram import UNIXDatagramPort as _UNIXDatagramPort
from torsion.interop.twisted.dialect import TWISTED, as_text
from torsion.interop.twisted.handles import Lending, take_back
from torsion.interop.twisted.posing import Posing

if TYPE_CHECKING:
    from torsion._native import Datagram

    _Port = DatagramPort
    _Inet = _UDPPort
else:
    _Port = _Inet = object

__all__ = ["AdoptedUDPPort", "ConnectedUNIXDatagramPort", "MulticastPort", "UDPPort", "UNIXDatagramPort"]

_NATIVE = (InvalidAddressError, MessageLengthError)
"""What the engine's sockets raise that Twisted has a class of its own for."""


def _in_twisted(problem: Exception) -> Exception:
    """Return *problem*, one of the above, as Twisted's class of the same name."""
    kind: type[Exception] = getattr(TWISTED.error, type(problem).__name__)
    return kind(*problem.args)


class _Datagrams(Posing, Lending, _Port):
    """What all of them have."""

    dialect = TWISTED
    _paused = False

    def pauseProducing(self) -> None:
        """Deliver no datagrams for now."""
        self._paused = True
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """Deliver datagrams again."""
        self._paused = False
        super().resumeProducing()

    stopReading = pauseProducing
    startReading = resumeProducing

    @property
    def reading(self) -> bool:
        """Whether datagrams are delivered."""
        return self._socket is not None and not self._stopped and not self._paused

    def discard(self) -> None:
        """The descriptor was closed by somebody who goes on with a duplicate."""
        if self._socket is not None:
            self._socket.close()

    def _forget(self, datagram: Datagram) -> None:
        take_back(self)
        self._paused = False
        super()._forget(datagram)

    def _send(self, *arguments: Any) -> None:
        """Send a datagram; what the engine has against it is told in Twisted's words."""
        if (datagram := self._socket) is not None:
            try:
                datagram.write(*arguments)
            except _NATIVE as problem:
                raise _in_twisted(problem) from None


class _UDP(_Datagrams, _Inet):
    """What UDP ports have."""

    def __init__(self, *arguments: Any) -> None:
        port, protocol, interface, *others = arguments
        super().__init__(port, protocol, as_text(interface), *others)

    def write(self, datagram: bytes, addr: tuple[str, int] | None = None) -> None:
        """Send one datagram: see ``IUDPTransport``."""
        self._send(datagram, addr)

    def connect(self, host: str, port: int) -> None:
        """Exchange datagrams with one peer only: see ``IUDPTransport``."""
        try:
            super().connect(host, port)
        except _NATIVE as problem:
            raise _in_twisted(problem) from None


@implementer(IListeningPort, IUDPTransport, ILoggingContext, ISystemHandle)
class UDPPort(_UDP, _UDPPort):
    """A UDP port (``IUDPTransport``, ``IListeningPort``)."""

    poses_as = udp.Port


@implementer(IMulticastTransport)
class MulticastPort(_UDP, _MulticastPort):
    """A UDP port that can join multicast groups (``IMulticastTransport``)."""

    poses_as = udp.MulticastPort

    def joinGroup(self, addr: str, interface: str | int | None = "") -> Any:
        """Receive what is sent to a multicast group: see ``IMulticastTransport``."""
        return super().joinGroup(addr, "" if interface is None else interface)

    def leaveGroup(self, addr: str, interface: str | int | None = "") -> Any:
        """Receive no longer what is sent to a multicast group: see ``IMulticastTransport``."""
        return super().leaveGroup(addr, "" if interface is None else interface)

    def setOutgoingInterface(self, addr: str | int) -> Any:
        """Choose by which interface multicast datagrams leave; the Deferred fires with 1, which says that it is done."""
        return super().setOutgoingInterface(addr).addCallback(lambda _: 1)


class AdoptedUDPPort(UDPPort, _AdoptedUDPPort):
    """A UDP port over a socket that somebody else has made and bound."""

    def __init__(self, *arguments: Any) -> None:
        _AdoptedUDPPort.__init__(self, *arguments)


@implementer(IListeningPort, IUNIXDatagramTransport, ILoggingContext, ISystemHandle)
class UNIXDatagramPort(_Datagrams, _UNIXDatagramPort):
    """A Unix datagram socket that any peer may send to (``IUNIXDatagramTransport``, ``IListeningPort``)."""

    poses_as = unix.DatagramPort

    def write(self, datagram: bytes, address: Any) -> None:
        """Send one datagram: see ``IUNIXDatagramTransport``."""
        self._send(datagram, address)


@implementer(IListeningPort, IUNIXDatagramConnectedTransport, ILoggingContext, ISystemHandle)
class ConnectedUNIXDatagramPort(_Datagrams, _ConnectedUNIXDatagramPort):
    """A Unix datagram socket that has one peer (``IUNIXDatagramConnectedTransport``)."""

    poses_as = unix.ConnectedDatagramPort

    def write(self, data: bytes) -> None:
        """Send one datagram to the peer: see ``IUNIXDatagramConnectedTransport``."""
        self._send(data)
