"""Unix datagram sockets, with many peers or with one."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from zope.interface import implementer

from torsion.internet.interfaces import (
    IListeningPort,
    ILoggingContext,
    ISystemHandle,
    IUNIXDatagramConnectedTransport,
    IUNIXDatagramTransport,
)
from torsion.internet.interfaces.handover import IHandedPort
from torsion.internet.transports.datagramowner import MAX_PACKET_SIZE, DatagramPort
from torsion.internet.transports.handedover import unix_address
from torsion.python.reflect import qual

if TYPE_CHECKING:
    from torsion._native import Datagram
    from torsion.internet.address import UNIXAddress
    from torsion.internet.transports.owner import Home

__all__ = ["MODE", "ConnectedUNIXDatagramPort", "UNIXDatagramPort"]

MODE = 0o666
"""The permissions of a socket's file unless a port says otherwise; the documented number."""

_Path: TypeAlias = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"


class _Port(DatagramPort):
    """What both kinds share."""

    def __init__(self, path: _Path | None, proto: Any, maxPacketSize: int, mode: int, reactor: Home | None) -> None:
        super().__init__(proto, maxPacketSize, reactor)
        self.mode = mode
        self._path = None if path is None else os.fsencode(path)
        self._shown = path

    @property
    def addressFamily(self) -> int:
        """``AF_UNIX``."""
        from socket import AF_UNIX

        return AF_UNIX

    def _open(self) -> Datagram:
        """Make the socket, and its file.

        :raises torsion.internet.error.CannotListenError: if the path is taken or cannot be used.
        """
        path = self._path or b""
        try:
            if path and self.reactor.sockets is not None:
                handed = self._taken(unix_address("UNIXDatagram", path))
                if handed is not None:
                    return handed
            datagram = self.reactor.engine.bind_datagram(path, False, self.maxPacketSize, self)
        except (OSError, ValueError) as error:
            raise self.dialect.error.CannotListenError(None, os.fsdecode(path), error) from error
        if path and not path.startswith(b"\0"):  # which is no file
            try:
                os.chmod(path, self.mode)  # noqa: PTH101 - pathlib takes no bytes
            except BaseException as error:
                datagram.close()
                with suppress(OSError):
                    os.unlink(path)  # noqa: PTH108 - as above
                if isinstance(error, OSError):
                    raise self.dialect.error.CannotListenError(None, os.fsdecode(path), error) from error
                raise
        return datagram

    def getHost(self) -> UNIXAddress:
        """Return where this socket receives; a ``UNIXAddress`` of None if it has no path."""
        return self.dialect.UNIXAddress(self._path)  # type: ignore[no-any-return]  # a dialect's classes are its own

    def _closed(self) -> None:
        self.dialect.note("(UNIX Datagram Port {path!r} Closed)", path=self._shown)

    def __repr__(self) -> str:
        where = f"on {self._shown!r}" if self.connected else "(not listening)"
        return f"<{qual(type(self._protocol))} {where}>"


@implementer(IListeningPort, IHandedPort, IUNIXDatagramTransport, ILoggingContext, ISystemHandle)
class UNIXDatagramPort(_Port):
    """A Unix datagram socket that any peer may send to (``IUNIXDatagramTransport``, ``IListeningPort``).

    ``reactor.listenUNIXDatagram`` makes it, and it is the ``transport`` of its protocol, which answers by
    ``self.transport.write(datagram, addr)``. The file stays when the socket is closed; remove it before listening again.
    """

    def __init__(
        self,
        addr: _Path,
        proto: Any,
        maxPacketSize: int = MAX_PACKET_SIZE,
        mode: int = MODE,
        reactor: Home | None = None,
    ) -> None:
        """Make a port that does not listen yet."""
        super().__init__(addr, proto, maxPacketSize, mode, reactor)

    def startListening(self) -> None:
        """Begin to listen: see ``IListeningPort``.

        :raises torsion.internet.error.CannotListenError: if the path is taken, too long or not to be used.
        """
        if self._socket is not None:
            return
        datagram = self._open()
        self.dialect.note(
            "{protocol} starting on {path!r}", protocol=self.dialect.log_prefix(self._protocol), path=self._shown
        )
        self._begin(datagram)

    def write(self, datagram: bytes, address: _Path) -> None:
        """Send one datagram. It is dropped if the receiver's queue is full, or the port does not listen.

        :param datagram: the whole of it.
        :param address: the path of the receiver's socket, as ``datagramReceived`` was given it.
        :raises torsion.internet.error.MessageLengthError: if *datagram* is longer than can be sent.
        :raises OSError: if nobody listens there, or what else the system says.
        """
        if self._socket is not None:
            self._socket.write(datagram, address)

    _own_write = write

    def _has_peer(self) -> bool:
        return False


@implementer(IListeningPort, IHandedPort, IUNIXDatagramConnectedTransport, ILoggingContext, ISystemHandle)
class ConnectedUNIXDatagramPort(_Port):
    """A Unix datagram socket that has one peer (``IUNIXDatagramConnectedTransport``).

    ``reactor.connectUNIXDatagram`` makes it, and it is the ``transport`` of its protocol, a ``ConnectedDatagramProtocol``.
    """

    def __init__(
        self,
        addr: _Path,
        proto: Any,
        maxPacketSize: int = MAX_PACKET_SIZE,
        mode: int = MODE,
        bindAddress: _Path | None = None,
        reactor: Home | None = None,
    ) -> None:
        """Make a port that does not listen yet."""
        super().__init__(bindAddress, proto, maxPacketSize, mode, reactor)
        self.remoteaddr = addr

    def startListening(self) -> None:
        """Connect to the peer and begin to receive from it; if the peer is not there, the protocol's
        ``connectionFailed`` is called.

        :raises torsion.internet.error.CannotListenError: if the path of this end is taken, too long or not to be used.
        """
        if self._socket is not None:
            return
        datagram = self._open()
        self.dialect.note(
            "{protocol} starting on {path!r}", protocol=self.dialect.log_prefix(self._protocol), path=self._shown
        )
        try:
            datagram.connect(self.remoteaddr)
        except (OSError, ValueError):
            datagram.close()
            self._protocol.connectionFailed(self.dialect.Failure())
            return
        except BaseException:
            datagram.close()
            raise
        self._begin(datagram)

    def write(self, data: bytes) -> None:
        """Send one datagram to the peer. It is dropped if the peer's queue is full or the peer is gone, of which the
        protocol's ``connectionRefused`` tells; or if the port does not listen.

        :param data: the whole of it.
        :raises torsion.internet.error.MessageLengthError: if *data* is longer than can be sent.
        :raises OSError: what else the system says.
        """
        if self._socket is not None:
            self._socket.write(data)

    _own_write = write

    def getPeer(self) -> UNIXAddress:
        """Return where the peer receives."""
        return self.dialect.UNIXAddress(self.remoteaddr)  # type: ignore[no-any-return]  # as above

    def _has_peer(self) -> bool:
        return True
