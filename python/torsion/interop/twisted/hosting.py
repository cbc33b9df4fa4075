"""torsion's own reactor inside Twisted's loop: programs that use both, or that are moved from one to the other bit by bit.

    from torsion.interop.twisted import hosting

    hosting.install()                           # once Twisted's reactor is chosen
    from torsion.internet import reactor        # runs whenever Twisted's does

It works in every reactor of Twisted's that can watch descriptors.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred as TwistedDeferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from zope.interface import implementer

from torsion.internet.reactors.fork import stays
from torsion.internet.reactors.hosted.driver import Driver
from torsion.internet.reactors.hosted.reactor import HostedReactor

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GuestReactor", "TwistedDriver", "install"]


@implementer(IReadDescriptor)
class _Watched:
    """The engine's descriptor, as Twisted's reactors watch one."""

    def __init__(self, descriptor: int, callback: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self.doRead = callback

    def fileno(self) -> int:
        return self._descriptor

    def logPrefix(self) -> str:
        return "torsion"

    def connectionLost(self, reason: Any) -> None:
        """Be watched no more: Twisted's reactor has shut down."""


class TwistedDriver(Driver):
    """Drives a reactor by one of Twisted's.

    :ivar reactor: that one.
    :ivar signals: whether :meth:`run` lets it install its signal handlers.
    """

    hears_signals = True
    signals = True

    def __init__(self, reactor: Any) -> None:
        if not IReactorFDSet.providedBy(reactor):
            raise TypeError(f"{reactor!r} cannot watch descriptors: give a reactor that does (IReactorFDSet)")
        self.reactor = reactor
        self._watched: _Watched | None = None
        self._timer: Any = None

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        self._watched = _Watched(descriptor, callback)
        self.reactor.addReader(self._watched)

    def unwatch(self) -> None:
        if self._watched is not None:
            self.reactor.removeReader(self._watched)
            self._watched = None

    def set_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        self.clear_timer()
        self._timer = self.reactor.callLater(seconds, self._fire, callback)

    def _fire(self, callback: Callable[[], None]) -> None:
        self._timer = None
        callback()

    def clear_timer(self) -> None:
        if self._timer is not None:
            timer, self._timer = self._timer, None
            timer.cancel()

    def running(self) -> bool:
        return bool(self.reactor.running)

    def run(self) -> None:
        self.reactor.run(installSignalHandlers=self.signals)

    def stop(self) -> None:
        with suppress(ReactorNotRunning):  # it is stopping already
            self.reactor.stop()


class GuestReactor(HostedReactor):
    """torsion's reactor inside one of Twisted's: it starts when that starts, and stops before that stops.

    Its own :meth:`stop` leaves Twisted's running, unless it was its own :meth:`run` that ran that.  It can do all that torsion's
    reactors can; only the waiting is Twisted's.  Until it has started it goes along into a process that is forked off, for programs that
    fork themselves into the background.
    """

    driver: TwistedDriver

    def __init__(self, host: Any = None) -> None:
        """Make a reactor.

        :param host: Twisted's reactor; None stands for ``twisted.internet.reactor``, which is installed if there is none yet.
        :raises TypeError: if that cannot watch descriptors (``IReactorFDSet``).
        """
        if host is None:
            from twisted.internet import reactor

            host = reactor
        self._told: TwistedDeferred[None] | None = None
        self._ending = False
        super().__init__(TwistedDriver(host))
        stays(self, here=False)
        if not self.driver.running():
            host.callWhenRunning(self._start)
        host.addSystemEventTrigger("before", "shutdown", self._host_stops)

    def _join(self, installSignalHandlers: bool) -> None:
        super()._join(installSignalHandlers)
        stays(self, here=True)

    def run(self, installSignalHandlers: bool = True) -> None:
        """Run Twisted's reactor until this one stops, as every reactor that is hosted."""
        self.driver.signals = installSignalHandlers
        super().run(installSignalHandlers)

    def crash(self) -> None:
        """End the run soon, without the ``shutdown`` event: ports and connections stay open."""
        super().crash()
        if not self._ending:
            self._tell_host()

    def _host_stops(self) -> TwistedDeferred[None] | None:
        """Stop, too; return what Twisted's reactor is to wait for."""
        if not self._started:
            return None
        self._told = TwistedDeferred()
        told = self._told
        self.addSystemEventTrigger("after", "shutdown", self._tell_host)
        if not self._stopping:
            self.stop()
        return told

    def _end(self) -> None:
        self._ending = True
        try:
            super()._end()
        finally:
            self._ending = False

    def _tell_host(self) -> None:
        told, self._told = self._told, None
        if told is not None:
            told.callback(None)


def install(host: Any = None) -> GuestReactor:
    """Make such a reactor the process's, ``torsion.internet.reactor``.

    :param host: as for :class:`GuestReactor`.
    :returns: the reactor.
    :raises TypeError: if *host* cannot watch descriptors.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is one.
    """
    from torsion.internet.reactors.choose import install_new

    return install_new(GuestReactor, host)
