"""The reactor in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.error import WrongThreadError
from torsion.internet.reactors.memory.connection import MemoryConnection
from torsion.internet.reactors.memory.engine import MemoryEngine
from torsion.internet.reactors.memory.names import MemoryUNIXConnection, NamesInMemory
from torsion.internet.reactors.memory.network import Network
from torsion.internet.reactors.memory.resolver import MemoryResolver
from torsion.internet.reactors.provides.inspection import ProvidesInspection
from torsion.internet.reactors.provides.tcp import ProvidesTCP
from torsion.internet.reactors.provides.tls import ProvidesTLS
from torsion.internet.reactors.provides.udp import ProvidesUDP
from torsion.internet.reactors.secure import WaysOfTLS
from torsion.internet.transports.stream import TCPConnection
from torsion.internet.transports.unixstream import UNIXClient, UNIXServer
from torsion.python.threadpool import ThreadPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from torsion.internet.interfaces import IHostnameResolver
    from torsion.internet.reactors.memory.machine import Machine

__all__ = ["MemoryReactor", "install"]


STREAMS: Mapping[type, type] = {
    TCPConnection: MemoryConnection,
    UNIXServer: MemoryUNIXConnection,
    UNIXClient: MemoryUNIXConnection,
}
"""What stands for each class of native streams."""


class MemoryReactor(ProvidesTCP, ProvidesTLS, ProvidesUDP, NamesInMemory, ProvidesInspection):
    """A reactor whose time passes when it is told to, or when it would wait, and whose network is in memory.

    :ivar network: what joins it to other reactors, and where faults are made.
    :ivar machine: the computer on that network that it is a process of.
    """

    tls = WaysOfTLS(natively=False)

    @property
    def sockets(self) -> None:
        """Always None, whatever it is set to: a network in memory has no sockets to hand over."""

    @sockets.setter
    def sockets(self, sockets: object) -> None:
        pass

    def __init__(self, network: Network | None = None, machine: Machine | None = None) -> None:
        """Make a reactor.

        :param network: what to be joined to; a network of its own, if it is not given.
        :param machine: a computer of that network; its ``home``, if it is not given.
        """
        self.network = Network() if network is None else network
        self.machine = self.network.home if machine is None else machine
        super().__init__(lambda owner: MemoryEngine(owner, self.network, self.machine, STREAMS))

    # --- time --------------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass, for all reactors of the network: each does at each time what is to be done then.

        :raises ValueError: if it is negative or not finite.
        :raises RuntimeError: if there is always something more to be done at one time.
        """
        self.network.advance(seconds)

    def pump(self, timings: Iterable[float]) -> None:
        """Call :meth:`advance` with each of *timings*."""
        self.network.pump(timings)

    def settle(self) -> None:
        """Do all that is to be done now, for all reactors of the network; no time passes."""
        self.network.settle()

    def _ends_run(self, problem: BaseException) -> bool:
        return isinstance(problem, WrongThreadError)

    # --- names and threads -------------------------------------------------------------------------------------------

    @property
    def nameResolver(self) -> IHostnameResolver:
        """What finds all addresses of a host: at first what the network's ``names`` say."""
        if self._name_resolver is None:
            self._name_resolver = MemoryResolver(self)
        return self._name_resolver

    def hold(self) -> AbstractContextManager[None]:
        """Let time pass no faster than outside meanwhile, for work in a thread of the program's own."""
        return self.network.hold()

    def getThreadPool(self) -> ThreadPool:
        """Return the pool of threads; as long as one of them works, time passes no faster than outside."""
        pool = self.threadpool
        if pool is None:
            self.threadpool = pool = _HoldingPool(self.network)
            self.callWhenRunning(self._start_threads)
        return pool

    def _stopThreadPool(self) -> None:
        with self.network.hold():
            super()._stopThreadPool()


class _HoldingPool(ThreadPool):
    """Threads that keep time from running ahead while they work."""

    def __init__(self, network: Network) -> None:
        super().__init__(0, 10, "torsion.internet.reactor")
        self._network = network

    def _submit(
        self,
        onResult: Callable[[bool, Any], object] | None,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        if self.joined:
            return  # the call is not made

        def tell(success: bool, result: Any) -> None:
            try:
                if onResult is not None:
                    onResult(success, result)
                elif not success:
                    self._log("Unhandled error in a call made by a thread pool", result)
            finally:
                self._network.let_go()

        self._network.take_hold()
        super()._submit(tell, func, args, kwargs)


def install() -> MemoryReactor:
    """Make a reactor in memory the process's reactor, ``torsion.internet.reactor``.

    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is one.
    """
    from torsion.internet.reactors.choose import installReactor

    reactor = MemoryReactor()
    installReactor(reactor)
    return reactor
