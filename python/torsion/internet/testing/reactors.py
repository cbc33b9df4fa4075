"""Reactors that write down what they are asked for, and connect nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from zope.interface import implementer

from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.error import UnsupportedAddressFamily
from torsion.internet.interfaces.core import IAddress, IReactorCore
from torsion.internet.interfaces.fdset import IReactorFDSet
from torsion.internet.interfaces.resolve import IHostnameResolver, IReactorPluggableNameResolver
from torsion.internet.interfaces.stream import IConnector, IListeningPort, IReactorSocket, IReactorTCP
from torsion.internet.interfaces.tls import IReactorSSL
from torsion.internet.interfaces.unix import IReactorUNIX
from torsion.internet.task import Clock
from torsion.internet.testing.connectors import _FakeConnector, _FakePort
from torsion.internet.testing.resolvers import SynchronousResolver

_Hook = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def _listenAddress(interface: str, port: int) -> IAddress:
    """Return where a TCP port listens that was asked for with *interface*."""
    if ":" in interface:
        return IPv6Address("TCP", interface, port)
    return IPv4Address("TCP", interface or "0.0.0.0", port)  # noqa: S104 - nothing is bound


def _adoptedAddress(family: int, kind: Any) -> IAddress:
    """Return where a socket listens that was handed over, as far as a reactor can tell that never looks at it."""
    if family == socket.AF_INET:
        return IPv4Address(kind, "0.0.0.0", 1234)  # noqa: S104 - nothing is bound
    if family == socket.AF_INET6:
        return IPv6Address(kind, "::", 1234)
    raise UnsupportedAddressFamily(f"cannot adopt a socket of family {family!r}: only AF_INET and AF_INET6")


@implementer(
    IReactorCore,
    IReactorTCP,
    IReactorSSL,
    IReactorUNIX,
    IReactorSocket,
    IReactorFDSet,
    IReactorPluggableNameResolver,
)
class MemoryReactor:
    """A reactor for tests of what calls a reactor.

    It makes no connections: a test takes the factory out of the list and calls it as a real reactor would.

    :ivar tcpClients: the arguments of each :meth:`connectTCP`, as tuples.
    :ivar tcpServers: the arguments of each :meth:`listenTCP`, as tuples.
    :ivar sslClients: the arguments of each :meth:`connectSSL`, as tuples.
    :ivar sslServers: the arguments of each :meth:`listenSSL`, as tuples.
    :ivar unixClients: the arguments of each :meth:`connectUNIX`, as tuples.
    :ivar unixServers: the arguments of each :meth:`listenUNIX`, as tuples.
    :ivar adoptedPorts: the arguments of each :meth:`adoptStreamPort` and :meth:`adoptDatagramPort`, as tuples.
    :ivar adoptedStreamConnections: the arguments of each :meth:`adoptStreamConnection`, as tuples.
    :ivar connectors: the connectors that were returned, in their order.
    :ivar triggers: phase, then event, then a list of what is to be called: callable, arguments, keywords.
    :ivar whenRunningHooks: what is to be called by :meth:`run`, likewise.
    :ivar hasInstalled: whether :meth:`install` was called, and likewise hasRun, hasStopped and hasCrashed.
    """

    def __init__(self) -> None:
        self.hasInstalled = False
        self.running = False
        self.hasRun = False
        self.hasStopped = False
        self.hasCrashed = False
        self.whenRunningHooks: list[_Hook] = []
        self.triggers: dict[str, dict[str, list[_Hook]]] = {}
        self.tcpClients: list[tuple[Any, ...]] = []
        self.tcpServers: list[tuple[Any, ...]] = []
        self.sslClients: list[tuple[Any, ...]] = []
        self.sslServers: list[tuple[Any, ...]] = []
        self.unixClients: list[tuple[Any, ...]] = []
        self.unixServers: list[tuple[Any, ...]] = []
        self.adoptedPorts: list[tuple[Any, ...]] = []
        self.adoptedStreamConnections: list[tuple[Any, ...]] = []
        self.connectors: list[_FakeConnector] = []
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()
        self.nameResolver: IHostnameResolver = SynchronousResolver()

    # --- running

    def install(self) -> None:
        """Remember that it was called."""
        self.hasInstalled = True

    def resolve(self, name: str, timeout: Sequence[int] = (1, 3, 11, 45)) -> NoReturn:
        """Refuse.

        :raises NotImplementedError: always; use the reactor's ``nameResolver``.
        """
        raise NotImplementedError("MemoryReactor does not resolve by itself: use its nameResolver")

    def run(self) -> None:
        """Call what :meth:`callWhenRunning` was given, then stop."""
        self.running = True
        self.hasRun = True
        for callable, args, kwargs in self.whenRunningHooks:
            callable(*args, **kwargs)
        self.stop()

    def stop(self) -> None:
        """Remember that it was called."""
        self.running = False
        self.hasStopped = True

    def crash(self) -> None:
        """Remember that it was called."""
        self.running = False
        self.hasCrashed = True

    def iterate(self, delay: float = 0) -> NoReturn:
        """Refuse.

        :raises NotImplementedError: always; a MemoryReactorClock has ``advance``.
        """
        raise NotImplementedError("MemoryReactor has nothing to iterate over: advance a MemoryReactorClock")

    def fireSystemEvent(self, eventType: str) -> None:
        """Call the triggers of an event, phase by phase."""
        for phase in ("before", "during", "after"):
            for callable, args, kwargs in list(self.triggers.get(phase, {}).get(eventType, ())):
                callable(*args, **kwargs)

    def addSystemEventTrigger(
        self, phase: str, eventType: str, callable: Callable[..., Any], *args: Any, **kw: Any
    ) -> Any:
        """Put a trigger into :attr:`triggers`.

        :returns: a token for :meth:`removeSystemEventTrigger`.
        """
        hook = (callable, args, kw)
        self.triggers.setdefault(phase, {}).setdefault(eventType, []).append(hook)
        return phase, eventType, hook

    def removeSystemEventTrigger(self, triggerID: Any) -> None:
        """Take a trigger out of :attr:`triggers`.

        :raises ValueError: if it is not there.
        """
        phase, eventType, hook = triggerID
        self.triggers.get(phase, {}).get(eventType, []).remove(hook)

    def callWhenRunning(self, callable: Callable[..., Any], *args: Any, **kw: Any) -> None:
        """Call something, at once if :meth:`run` was called, else when it is."""
        if self.hasRun:
            callable(*args, **kw)
        else:
            self.whenRunningHooks.append((callable, args, kw))

    # --- connections and ports

    def _connector(self, address: IAddress, factory: Any) -> IConnector:
        connector = _FakeConnector(address)
        factory.startedConnecting(connector)
        self.connectors.append(connector)
        return connector

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> IListeningPort:
        """Put the arguments into :attr:`tcpServers`."""
        self.tcpServers.append((port, factory, backlog, interface))
        return _FakePort(_listenAddress(interface, port))

    def connectTCP(
        self, host: str, port: Any, factory: Any, timeout: float = 30, bindAddress: Any = None
    ) -> IConnector:
        """Put the arguments into :attr:`tcpClients`, and the connector into :attr:`connectors`."""
        self.tcpClients.append((host, port, factory, timeout, bindAddress))
        return self._connector((IPv6Address if ":" in host else IPv4Address)("TCP", host, port), factory)

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Put the arguments into :attr:`sslServers`."""
        self.sslServers.append((port, factory, contextFactory, backlog, interface))
        return _FakePort(_listenAddress(interface, port))

    def connectSSL(
        self,
        host: str,
        port: int,
        factory: Any,
        contextFactory: Any,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> IConnector:
        """Put the arguments into :attr:`sslClients`, and the connector into :attr:`connectors`."""
        self.sslClients.append((host, port, factory, contextFactory, timeout, bindAddress))
        return self._connector(IPv4Address("TCP", host, port), factory)

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: bool = False
    ) -> IListeningPort:
        """Put the arguments into :attr:`unixServers`."""
        self.unixServers.append((address, factory, backlog, mode, wantPID))
        return _FakePort(UNIXAddress(address))

    def connectUNIX(self, address: Any, factory: Any, timeout: float = 30, checkPID: bool = False) -> IConnector:
        """Put the arguments into :attr:`unixClients`, and the connector into :attr:`connectors`."""
        self.unixClients.append((address, factory, timeout, checkPID))
        return self._connector(UNIXAddress(address), factory)

    def adoptStreamPort(self, fileno: int, addressFamily: int, factory: Any) -> IListeningPort:
        """Put the arguments into :attr:`adoptedPorts`.

        :raises torsion.internet.error.UnsupportedAddressFamily: for another family than IPv4 and IPv6.
        """
        address = _adoptedAddress(addressFamily, "TCP")
        self.adoptedPorts.append((fileno, addressFamily, factory))
        return _FakePort(address)

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> None:
        """Put the arguments into :attr:`adoptedStreamConnections`."""
        self.adoptedStreamConnections.append((fileDescriptor, addressFamily, factory))

    def adoptDatagramPort(
        self, fileno: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> IListeningPort:
        """Put the arguments into :attr:`adoptedPorts`.

        :raises torsion.internet.error.UnsupportedAddressFamily: for another family than IPv4 and IPv6.
        """
        address = _adoptedAddress(addressFamily, "UDP")
        self.adoptedPorts.append((fileno, addressFamily, protocol, maxPacketSize))
        return _FakePort(address)

    # --- descriptors and names

    def addReader(self, reader: Any) -> None:
        """Add to :attr:`readers`."""
        self.readers.add(reader)

    def removeReader(self, reader: Any) -> None:
        """Take out of :attr:`readers`."""
        self.readers.discard(reader)

    def addWriter(self, writer: Any) -> None:
        """Add to :attr:`writers`."""
        self.writers.add(writer)

    def removeWriter(self, writer: Any) -> None:
        """Take out of :attr:`writers`."""
        self.writers.discard(writer)

    def getReaders(self) -> list[Any]:
        """Return the readers."""
        return list(self.readers)

    def getWriters(self) -> list[Any]:
        """Return the writers."""
        return list(self.writers)

    def removeAll(self) -> list[Any]:
        """Empty :attr:`readers` and :attr:`writers`, and return what was in them."""
        found = list(self.readers | self.writers)
        self.readers.clear()
        self.writers.clear()
        return found

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        """Set :attr:`nameResolver`, and return the one before."""
        old, self.nameResolver = self.nameResolver, resolver
        return old


class MemoryReactorClock(MemoryReactor, Clock):
    """A :class:`MemoryReactor` with a clock that goes by the test's ``advance``."""

    def __init__(self) -> None:
        MemoryReactor.__init__(self)
        Clock.__init__(self)
