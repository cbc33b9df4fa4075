"""``IReactorUNIX`` over an engine's streams."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from zope.interface import classImplements

from torsion.internet.interfaces import IReactorUNIX
from torsion.internet.reactors.overengine import OverEngine

if TYPE_CHECKING:
    import os

    from torsion.internet.interfaces import IProtocolFactory
    from torsion.internet.transports.unix import Connector, Port

__all__ = ["ProvidesUNIX"]


class ProvidesUNIX(OverEngine):
    """Ports and connections at paths of the file system, and by names in Linux's abstract namespace."""

    def listenUNIX(
        self,
        address: str | bytes | os.PathLike[str],
        factory: IProtocolFactory,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: bool = False,
    ) -> Port:
        """Accept connections on a Unix socket, and give each to a protocol.

        The file is made here, with its permissions, and removed when the port stops, unless another has taken its place by
        then.

        :param address: the path; or, on Linux, a NUL and a name in the abstract namespace.
        :param factory: asked for one protocol for each connection. One that provides ``IFileDescriptorReceiver`` gets the
            descriptors that the peer sends; otherwise they are closed.
        :param backlog: how many connections the system may keep waiting to be accepted.
        :param mode: the permissions to give to the file.
        :param wantPID: keep a lock beside the socket, *address* with ``.lock`` behind it. If its holder has died, the socket
            that it left behind is removed first. An abstract name vanishes with its process and has no lock.
        :returns: the port, listening.
        :raises torsion.internet.error.CannotListenError: if the path is taken, locked, too long, or may not be used; its
            ``socketError`` tells.
        :raises TypeError: if *address* is no path.
        """
        from torsion.internet.transports.unix import Port  # many programs have none

        port = Port(address, factory, backlog, mode, self, wantPID)
        port.startListening()
        return port

    def connectUNIX(
        self,
        address: str | bytes | os.PathLike[str],
        factory: IProtocolFactory,
        timeout: float = 30,
        checkPID: bool = False,
    ) -> Connector:
        """Connect to a Unix socket; the factory is told how it ends.

        :param address: the path; or, on Linux, a NUL and a name in the abstract namespace.
        :param factory: a client factory.
        :param timeout: after how many seconds to give up, as when the server's queue is full; 0 or None means never.
        :param checkPID: look at the lock beside the socket first, and fail with
            :class:`torsion.internet.error.BadFileError` if no living process holds it.
        :returns: the connector.
        :raises TypeError: if *address* is no path or *timeout* no number.
        :raises ValueError: if *timeout* is negative or not finite.
        """
        from torsion.internet.transports.unix import Connector

        connector = Connector(address, factory, timeout, self, checkPID)
        connector.connect()
        return connector


if sys.platform != "win32":
    classImplements(ProvidesUNIX, IReactorUNIX)
