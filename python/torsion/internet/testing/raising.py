"""A reactor that fails at whatever it is asked for."""

from __future__ import annotations

from typing import Any, NoReturn

from zope.interface import implementer

from torsion.internet.interfaces.resolve import IHostnameResolver, IReactorPluggableNameResolver
from torsion.internet.interfaces.stream import IReactorSocket, IReactorTCP
from torsion.internet.interfaces.tls import IReactorSSL
from torsion.internet.interfaces.unix import IReactorUNIX
from torsion.internet.testing.resolvers import SynchronousResolver


@implementer(IReactorTCP, IReactorSSL, IReactorUNIX, IReactorSocket, IReactorPluggableNameResolver)
class RaisingMemoryReactor:
    """A reactor for tests of what happens when a reactor's method raises.

    :param listenException: what each method raises that listens; None for a RuntimeError.
    :param connectException: what each method raises that connects; None for a RuntimeError.
    """

    def __init__(
        self, listenException: BaseException | None = None, connectException: BaseException | None = None
    ) -> None:
        self._listenException = listenException
        self._connectException = connectException
        self.nameResolver: IHostnameResolver = SynchronousResolver()

    def _listen(self) -> NoReturn:
        raise self._listenException or RuntimeError("RaisingMemoryReactor was made without a listenException")

    def _connect(self) -> NoReturn:
        raise self._connectException or RuntimeError("RaisingMemoryReactor was made without a connectException")

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> NoReturn:
        """Raise the listenException."""
        self._listen()

    def connectTCP(self, host: str, port: Any, factory: Any, timeout: float = 30, bindAddress: Any = None) -> NoReturn:
        """Raise the connectException."""
        self._connect()

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> NoReturn:
        """Raise the listenException."""
        self._listen()

    def connectSSL(
        self,
        host: str,
        port: int,
        factory: Any,
        contextFactory: Any,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> NoReturn:
        """Raise the connectException."""
        self._connect()

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: bool = False
    ) -> NoReturn:
        """Raise the listenException."""
        self._listen()

    def connectUNIX(self, address: Any, factory: Any, timeout: float = 30, checkPID: bool = False) -> NoReturn:
        """Raise the connectException."""
        self._connect()

    def adoptStreamPort(self, fileno: int, addressFamily: int, factory: Any) -> NoReturn:
        """Raise the listenException."""
        self._listen()

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> NoReturn:
        """Raise the connectException."""
        self._connect()

    def adoptDatagramPort(self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int) -> NoReturn:
        """Raise the connectException, as Twisted's does."""
        self._connect()

    def installNameResolver(self, nameResolver: IHostnameResolver) -> IHostnameResolver:
        """Set :attr:`nameResolver`, and return the one before."""
        old, self.nameResolver = self.nameResolver, nameResolver
        return old
