"""Unix sockets in memory: names that the reactors of one computer know, and no files."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NoReturn

from zope.interface import classImplementsOnly

from torsion.internet.interfaces import IConsumer, ILoggingContext, IPushProducer, ITLSTransport
from torsion.internet.reactors.memory.connection import DivertibleStream
from torsion.internet.reactors.provides.unix import ProvidesUNIX
from torsion.internet.transports.tls import Securable
from torsion.internet.transports.unixstream import UNIXNames

if TYPE_CHECKING:
    import os

    from torsion.internet.interfaces import IProtocolFactory
    from torsion.internet.transports.unix import Connector, Port

__all__ = ["MemoryUNIXConnection", "NamesInMemory"]


class MemoryUNIXConnection(Securable, UNIXNames, DivertibleStream):  # type: ignore[misc, override]  # two engines' streams, of one shape
    """A connection over a Unix socket in memory; files cannot be sent along."""

    def host_address(self) -> bytes:  # type: ignore[override]  # as the native ones have it
        """Return this end's name; empty if it has none."""
        return self._host[1]  # type: ignore[no-any-return]  # the path within a name

    def peer_address(self) -> bytes:  # type: ignore[override]  # as above
        """Return the other end's name."""
        return self._peer[1]  # type: ignore[no-any-return]  # the path within a name

    def send_descriptor(self, descriptor: int) -> NoReturn:
        """Refuse: there are no files on a network in memory.

        :raises OSError: always.
        """
        raise OSError(errno.EOPNOTSUPP, "files cannot be sent over a connection in memory; use a reactor with sockets")


classImplementsOnly(MemoryUNIXConnection, ITLSTransport, IConsumer, IPushProducer, ILoggingContext)


class NamesInMemory(ProvidesUNIX):
    """Ports and connections at names.  They vanish with their reactors, so there are no locks beside them."""

    def listenUNIX(
        self,
        address: str | bytes | os.PathLike[str],
        factory: IProtocolFactory,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: bool = False,
    ) -> Port:
        """Accept connections at a name, and give each to a protocol.

        :param mode: nobody's concern here, and neither is *wantPID*.
        :param address: the rest is as for every reactor, see ``IReactorUNIX``.
        :raises torsion.internet.error.CannotListenError: if the name is taken, or could be no path.
        """
        return super().listenUNIX(address, factory, backlog, mode, wantPID=False)

    def connectUNIX(
        self,
        address: str | bytes | os.PathLike[str],
        factory: IProtocolFactory,
        timeout: float = 30,
        checkPID: bool = False,
    ) -> Connector:
        """Connect to a name; the factory is told how it ends.

        :param checkPID: of no effect: where there is a name, its server lives.
        :param address: the rest is as for every reactor, see ``IReactorUNIX``.
        """
        return super().connectUNIX(address, factory, timeout, checkPID=False)
