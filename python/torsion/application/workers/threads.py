"""``--threads N``: one reactor in each of N threads, on the same sockets; for Pythons without a GIL.

Each thread makes the service once, with its own reactor: the one that ``torsion.internet._current`` finds there.  Connections
stay in the thread that accepted them.  Nothing is shared but what the program shares, and the listening sockets.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.draining import IDrains, IListens, closeListeners, drainServices
from torsion.application.reloading import IReloads, reloadServices
from torsion.application.service import MultiService
from torsion.application.workers.numbering import Numbering
from torsion.internet.defer import Deferred, DeferredList, gatherResults, maybeDeferred
from torsion.internet.interfaces.handover import IListeningSockets
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from torsion.application.workers.broker import Broker
    from torsion.internet.interfaces import IListeningPort
    from torsion.internet.interfaces.handover import ListeningAddress

__all__ = ["Member", "ThreadSockets", "Threads", "why_not"]

_log = Logger("torsion.application.workers")


def why_not() -> str | None:
    """Return why threads would not run at the same time here; None if they would."""
    enabled = getattr(sys, "_is_gil_enabled", None)
    if enabled is None:
        return f"this Python ({sys.version.split()[0]}) has a GIL, which lets one thread run at a time"
    if enabled():
        return "the GIL is on in this Python, maybe since an extension module needs it; PYTHON_GIL=0 keeps it off"
    return None


@implementer(IListeningSockets)
class ThreadSockets:
    """The ``sockets`` of one thread's reactor.

    :ivar ending: whether the thread ends: others still serve what its ports did.
    """

    _lock = threading.Lock()  # the broker is one for all threads

    def __init__(self, broker: Broker, number: int) -> None:
        """Take them from *broker*, those for the thread *number*."""
        self.ending = False
        self._broker = broker
        self._number = number
        self._ports = Numbering()

    def take(self, address: ListeningAddress, port: IListeningPort) -> socket.socket:
        """Return a socket of this thread's own; see ``IListeningSockets``.

        :raises OSError: if it cannot be had.
        """
        wanted = self._ports.wanted(address, port)
        with self._lock:
            taken = self._broker.take(self._number, wanted).dup()
            self._broker.uses(self, wanted)
        return taken

    def opened(self, address: ListeningAddress, port: IListeningPort) -> None:
        """Note a port; see ``IListeningSockets``."""
        self._ports.opened(address, port)

    def closed(self, address: ListeningAddress, port: IListeningPort) -> None:
        """Give up the address once no thread listens there; see ``IListeningSockets``."""
        given = self._ports.closed(address, port)
        if given is not None:
            with self._lock:
                if self.ending:
                    self._broker.gone(self)
                else:
                    self._broker.closed(self, given)


class Member:
    """A thread with a reactor and a service of its own.

    :ivar started: whether the thread was started.
    :ivar ready: fires in the main reactor's thread once the service there listens; fails if it cannot.
    :ivar ended: likewise once the thread is over.
    """

    def __init__(
        self, number: int, home: Any, reactor: Any, make: Callable[[], Any], listening: Callable[[Any], Any]
    ) -> None:
        """Prepare it.

        :param number: which thread.
        :param home: the main reactor.
        :param reactor: this thread's.
        :param make: makes a service; called in the thread, while the reactor runs.
        :param listening: called with the service, returns a Deferred that fires once it listens.
        """
        self.number = number
        self.reactor = reactor
        self.started = False
        self.ready: Deferred[None] = Deferred()
        self.ended: Deferred[None] = Deferred()
        self._home = home
        self._make = make
        self._listening = listening
        self._service: Any = None
        self._thread = threading.Thread(target=self._run, name=f"torsion-reactor-{number}")

    def start(self) -> None:
        """Start the thread."""
        self.started = True
        self._thread.start()

    def _run(self) -> None:
        try:
            self.reactor.callWhenRunning(self._begin)
            self.reactor.run(installSignalHandlers=False)
        except BaseException:  # noqa: BLE001 - it must not go unnoticed, whatever it is
            _log.failure("The reactor of thread {number} failed", number=self.number)
        finally:
            self._home.callFromThread(self._over)

    def _over(self) -> None:
        self._thread.join()
        if not self.ready.called:
            self.ready.errback(RuntimeError(f"thread {self.number} ended before it was ready"))
        self.ended.callback(None)

    def _begin(self) -> None:
        begun = maybeDeferred(self._start_service)
        begun.addBoth(lambda result: self._home.callFromThread(self._tell, self.ready, result))

    def _start_service(self) -> Any:
        self._service = service = self._make()
        service.privilegedStartService()
        service.startService()
        return self._listening(service)

    @staticmethod
    def _tell(waiting: Deferred[Any], result: Any) -> None:
        if not waiting.called:
            (waiting.errback if isinstance(result, Failure) else waiting.callback)(result)

    def call(self, what: Callable[[Any], Any]) -> Deferred[Any]:
        """Call *what* with the service, in its thread.

        :returns: a Deferred that fires in the main reactor's thread with the result; with None if there is no service.
        """
        asked: Deferred[Any] = Deferred()

        def call() -> None:
            called = maybeDeferred(what, self._service) if self._service is not None else maybeDeferred(lambda: None)
            called.addBoth(lambda result: self._home.callFromThread(self._tell, asked, result))

        if self.ended.called:
            asked.callback(None)
        else:
            self.ended.addCallback(lambda _: self._tell(asked, None))  # the thread may end in between
            self.reactor.callFromThread(call)
        return asked

    def stop(self) -> Deferred[None]:
        """Stop the service and the reactor there.

        :returns: a Deferred that fires once the thread is over.
        """
        stopped: Deferred[None] = Deferred()
        self.ended.addCallback(lambda _: stopped.callback(None))
        self.call(lambda service: service.stopService()).addBoth(lambda _: self.reactor.callFromThread(self._stop))
        return stopped

    def _stop(self) -> None:
        if self.reactor.running:
            self.reactor.stop()


@implementer(IDrains, IListens, IReloads)
class Threads(MultiService):
    """The services of all threads, as one: that of the main thread is in it, those of the others are asked.

    :ivar members: the other threads.
    """

    def __init__(
        self, number: int, make: Callable[[], Any], member: Callable[[int], Member], failed: Callable[[], Any]
    ) -> None:
        """Make the service of the main thread, and prepare the others.

        :param number: of threads in all.
        :param make: makes a service.
        :param member: makes the other threads, which are numbered from 1.
        :param failed: called if a thread ends by itself.
        """
        super().__init__()
        self._failed = failed
        self._stopping = False
        make().setServiceParent(self)
        self.members = [member(each) for each in range(1, number)]

    def startService(self) -> None:
        """Start all; the main thread's first, which finds out whether it can be."""
        super().startService()
        for each in self.members:
            each.ended.addCallback(self._ended, each)
            each.start()

    def _ended(self, result: None, member: Member) -> None:
        if not self._stopping:
            _log.critical("The reactor of thread {number} has ended by itself", number=member.number)
            self._failed()

    def whenListening(self) -> Deferred[Any]:
        """Return a Deferred that fires once the services of the other threads listen; it fails as the first of them does."""
        ready = gatherResults([each.ready for each in self.members], consumeErrors=True)
        return ready.addErrback(lambda failure: getattr(failure.value, "subFailure", failure))

    def _everywhere(self, what: Callable[[Any], Any]) -> Deferred[Any]:
        here = [maybeDeferred(what, each) for each in self.services]
        return DeferredList([*here, *(each.call(what) for each in self.members if each.started)], consumeErrors=True)

    def stopListening(self) -> Deferred[Any]:
        """Have no thread listen any more."""
        return self._everywhere(closeListeners)

    def drain(self) -> Deferred[Any]:
        """Drain the services of all threads, at the same time."""
        self._stopping = True
        return self._everywhere(lambda service: drainServices([service]))

    def reload(self) -> Deferred[Any]:
        """Have the services of all threads read their configuration again.

        :returns: a Deferred that fires with what to call those of the main thread that did, and fails if one could not.
        """
        asked = gatherResults(
            [
                reloadServices(self.services),
                *(each.call(lambda service: reloadServices([service])) for each in self.members),
            ],
            consumeErrors=True,
        )
        return asked.addCallbacks(lambda names: names[0], lambda failure: getattr(failure.value, "subFailure", failure))

    def stopService(self) -> Deferred[Any]:
        """Stop the services of all threads, and the threads.

        :returns: a Deferred that fires once all have ended.
        """
        self._stopping = True
        here = super().stopService()
        return DeferredList([here, *(each.stop() for each in self.members if each.started)], consumeErrors=True)
