"""A reactor of stock Twisted's over torsion's engine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from twisted.internet import error
from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall, IReactorDaemonize, IReactorFDSet
from twisted.internet.main import installReactor
from twisted.internet.posixbase import PosixReactorBase
from twisted.python.log import callWithLogger
from zope.interface import classImplements, implementer

from torsion._native import Engine, Stream, Timer
from torsion.internet.error import WrongProcessError, WrongThreadError
from torsion.internet.reactors.delayed import call_by_other_clock
from torsion.internet.reactors.fork import stays
from torsion.internet.reactors.provides.ticks import ProvidesTicks
from torsion.internet.transports.connecting import BaseConnector
from torsion.internet.transports.datagramowner import DatagramPort
from torsion.internet.transports.listener import BasePort
from torsion.interop.twisted.connectors import Pending
from torsion.interop.twisted.descriptors import Descriptors
from torsion.interop.twisted.dialect import TWISTED
from torsion.interop.twisted.forking import going_along, watch
from torsion.interop.twisted.logcontext import call_in_log_context
from torsion.interop.twisted.provides import (
    ProvidesSockets,
    ProvidesTCP,
    ProvidesUDP,
    ProvidesUNIX,
    ProvidesUNIXDatagram,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TorsionReactor", "install"]

NATIVE: tuple[Any, ...] = (Stream, BasePort, DatagramPort)
"""Transports that Twisted would register as readers and writers, and that the engine serves."""

_LASTING = (OSError, WrongProcessError, WrongThreadError)
"""With what the engine refuses to run: the system does not let it wait; it is not this process's, or another thread's."""


@implementer(IReactorDaemonize, IReactorFDSet)
class TorsionReactor(
    ProvidesSockets, ProvidesTCP, ProvidesUDP, ProvidesUNIX, ProvidesUNIXDatagram, PosixReactorBase, ProvidesTicks
):
    """A reactor for Twisted's applications, whose loop, timers, descriptors and sockets of all kinds are torsion's.

    :ivar engine: what it runs on.
    :ivar open_handles: ports that listen and connectors that try, to be ended in this order when the reactor stops.
    :ivar disconnecting: whether the reactor is ending these, and all connections.
    """

    sockets = None
    """Nothing is handed over: what runs Twisted's applications is Twisted's, and restarts them in its own way."""

    def __init__(self) -> None:
        # First, as what Twisted's part begins with is to register a descriptor.
        self.engine = Engine(self, error)
        self.open_handles: dict[Any, None] = {}
        self.disconnecting = False
        self._serving = self._served = False
        self._descriptors = Descriptors(self)
        self._clock: Callable[[], float] = self.engine.seconds
        super().__init__()
        watch(self)
        self._bind("callLater", self.engine.call_later)
        self._bind("callFromThread", self.engine.call_from_thread)

    def _bind(self, name: str, function: Callable[..., Any]) -> None:
        """Let calls of the method *name* go straight to the engine, unless a subclass has its own idea of it."""
        if getattr(type(self), name) is getattr(TorsionReactor, name):
            self.__dict__[name] = function

    # --- running -----------------------------------------------------------------------------------------------------

    def startRunning(self, installSignalHandlers: bool = True) -> None:
        """Do what :meth:`run` does before it serves."""
        self.engine.wakeup_fileno()  # which refuses other threads and processes, before anything has begun
        stays(self, here=True)
        before, self._serving = self._serving, True
        self._served = True
        try:
            super().startRunning(installSignalHandlers)
        except BaseException:
            self._serving = before
            raise

    def mainLoop(self) -> None:
        """Serve until the reactor has stopped, or crashes."""
        call_in_log_context(self.engine, self._serve)

    def _serve(self) -> None:
        while self._serving:
            super().runUntilCurrent()  # which fires the event of a shutdown that was asked for
            if not self._serving:
                break
            try:
                self.engine.run()
            except BaseException as problem:
                if isinstance(problem, _LASTING) and (trace := problem.__traceback__) and trace.tb_next is None:
                    raise  # it is the engine's own, and would be so again
                TWISTED.log.failure("Unexpected error in main loop.")  # a signal handler's

    def iterate(self, delay: float = 0) -> None:
        """Take one turn.

        :param delay: how many seconds to wait at most.
        """
        super().runUntilCurrent()
        self.doIteration(delay)

    def runUntilCurrent(self) -> None:
        """Do what is due, the calls from other threads and the timed ones, as tests ask for that do not run the reactor."""
        self.doIteration(0)
        super().runUntilCurrent()

    def doIteration(self, delay: float | None) -> None:
        """Take one turn, for :meth:`iterate`.

        :param delay: how many seconds to wait at most; None waits until there is something to do.
        """
        call_in_log_context(self.engine, self.engine.turn, delay)

    def stop(self) -> None:
        """Fire the ``shutdown`` event soon, then let :meth:`run` return."""
        super().stop()
        self.engine.stop()

    def crash(self) -> None:
        """Let :meth:`run` return soon, without that event."""
        super().crash()
        self._serving = False
        self.engine.stop()

    def wakeUp(self) -> None:
        """Let the reactor look for something to do.  May be called from any thread."""
        self.engine.wake()

    def disconnectAll(self) -> None:
        """Close all ports and connections; protocols are told that theirs is lost."""
        reason = TWISTED.lost()
        self.disconnecting = True
        try:
            for each in self.removeAll():
                if not isinstance(each, (Stream, Pending)):  # which are told below
                    callWithLogger(each, each.connectionLost, reason)
            for port in [
                each for each in self.open_handles if isinstance(each, (BasePort, DatagramPort))
            ]:  # which are paused
                callWithLogger(port, port.connectionLost, reason)
            if self._served:  # else nobody has been told to expect an outcome of what tries to connect
                for handle in list(self.open_handles):
                    handle.abandon(reason)
            self.engine.close()
        finally:
            self.disconnecting = False
        self._descriptors.watch_anew()

    def raised(self, source: object, exception: BaseException, /) -> None:
        """Log what escaped from a call that the engine made."""
        failure = TWISTED.Failure(exception, type(exception), exception.__traceback__)
        TWISTED.log.failure("Unhandled error in {call!r}", failure, call=source)

    # --- forking -----------------------------------------------------------------------------------------------------

    def beforeDaemonize(self) -> None:
        """Be told that the process is about to fork and then to end, without another word to the reactor."""
        stays(self, here=False)

    def afterDaemonize(self) -> None:
        """Be told that this is the process that goes on."""
        stays(self, here=True)

    def spawnProcess(self, *args: Any, **kwargs: Any) -> Any:
        """Start a process: see ``IReactorProcess``."""
        with going_along(self):  # or what a program hands on, a port's descriptor say, would be closed there
            return super().spawnProcess(*args, **kwargs)

    # --- time --------------------------------------------------------------------------------------------------------

    @property
    def seconds(self) -> Callable[[], float]:
        """Returns the time, in seconds.  A test may put a clock of its own here; calls to come reckon with it then."""
        return self._clock

    @seconds.setter
    def seconds(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.__dict__.pop("callLater", None)
        if clock == self.engine.seconds:
            self._bind("callLater", self.engine.call_later)

    def callLater(self, delay: float, callable: Callable[..., Any], *args: object, **kw: object) -> Any:
        """Call a function later; an instance has the engine's own method in this place.

        :param delay: in how many seconds.
        :param callable: the function, called with *args* and *kw*.
        :returns: the call to come, an ``IDelayedCall``.
        """
        if self._clock == self.engine.seconds:
            return self.engine.call_later(delay, callable, *args, **kw)
        return call_by_other_clock(self.engine, self._clock, delay, callable, args, kw, DelayedCall)

    def callFromThread(self, f: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """Call a function in the reactor's thread, soon; an instance has the engine's own method in this place."""
        self.engine.call_from_thread(f, *args, **kwargs)

    def getDelayedCalls(self) -> list[Timer]:
        """Return the calls that are still to come."""
        return self.engine.delayed_calls()

    # --- descriptors -------------------------------------------------------------------------------------------------

    def addReader(self, reader: Any) -> None:
        """Call the reader's ``doRead`` whenever its descriptor can be read."""
        if isinstance(reader, NATIVE):
            reader.startReading()
        else:
            self._descriptors.add_reader(reader)

    def addWriter(self, writer: Any) -> None:
        """Call the writer's ``doWrite`` whenever its descriptor can be written."""
        if not isinstance(writer, NATIVE):  # these write when they have something to be written
            self._descriptors.add_writer(writer)

    def removeReader(self, reader: Any) -> None:
        """Watch the reader no more."""
        if isinstance(reader, NATIVE):
            reader.stopReading()
        else:
            self._descriptors.remove_reader(reader)

    def removeWriter(self, writer: Any) -> None:
        """Watch the writer no more."""
        self._descriptors.remove_writer(writer)

    def getReaders(self) -> list[Any]:
        """Return the readers, native ports and connections among them."""
        return self._descriptors.readers() + [each for each in self._transports() if getattr(each, "reading", False)]

    def getWriters(self) -> list[Any]:
        """Return the writers."""
        return self._descriptors.writers()

    def removeAll(self) -> list[Any]:
        """Watch nothing more but what the reactor needs for itself; return what was watched."""
        # What is told of once is not told of again: to trial, one test's remains are not the next one's.
        transports = [each for each in self._transports() if _is_watched(each)]
        for each in transports:
            each.stopReading()
        return transports + self._descriptors.remove_all_but(self._own_readers())

    def _own_readers(self) -> Any:
        """Return what Twisted's part of the reactor reads for itself."""
        return getattr(self, "_internalReaders", ())

    def _transports(self) -> list[Any]:
        """Return the native ports, attempts to connect, and connections."""
        handles = [handle for handle in self.open_handles if handle is not self._descriptors]
        attempts_for = [handle.transport if isinstance(handle, BaseConnector) else handle for handle in handles]
        return [each for each in attempts_for if each is not None] + self.engine.streams()


def _is_watched(transport: Any) -> bool:
    """Return whether Twisted's reactors would have the transport among their readers and writers."""
    if isinstance(transport, Pending):
        return transport.watched
    return transport.reading or (isinstance(transport, Stream) and transport.disconnecting)


classImplements(Timer, IDelayedCall)  # type: ignore[misc]  # a native class is none to the plugin


def install() -> TorsionReactor:
    """Make a reactor over torsion's engine, and make it ``twisted.internet.reactor``.

    Call this before anything imports that.

    :returns: the reactor.
    :raises twisted.internet.error.ReactorAlreadyInstalledError: if there is one already.
    """
    present = sys.modules.get("twisted.internet.reactor")
    if present is not None:  # Twisted would say so in fewer words, and the second reactor be there for nothing
        raise error.ReactorAlreadyInstalledError(
            f"cannot install torsion's reactor: {present!r} is twisted.internet.reactor already; call"
            " torsion.interop.twisted.install() once, before anything imports that"
        )
    reactor = TorsionReactor()
    installReactor(reactor)
    return reactor


# Programs that start another on the same reactor call `install` in the module that the reactor's class says it is from.
TorsionReactor.__module__ = install.__module__ = "torsion.interop.twisted"
