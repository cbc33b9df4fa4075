"""Connections that are closed when nothing happens on them for too long."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from torsion.internet import _current
from torsion.internet.protocol.wrapping import ProtocolWrapper, WrappingFactory

if TYPE_CHECKING:
    from torsion.internet.interfaces import IAddress, IDelayedCall
    from torsion.python.failure import Failure

__all__ = ["TimeoutFactory", "TimeoutMixin", "TimeoutProtocol"]


class TimeoutMixin:
    """Gives a protocol one timeout, which it starts, restarts and stops itself.

    A protocol calls :meth:`setTimeout` when it begins to wait, as a rule in ``connectionMade``; :meth:`resetTimeout` when
    it sees that the peer is still there; and ``setTimeout(None)`` in ``connectionLost``.
    """

    timeOut: float | None = None
    """The seconds without a :meth:`resetTimeout` after which :meth:`timeoutConnection` is called; None for never.

    Setting it starts nothing; :meth:`setTimeout` does.
    """

    __timeoutCall: IDelayedCall | None = None

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """Call *func* in *period* seconds: by the current reactor, or by whatever clock an override prefers."""
        return _current.current_reactor().callLater(period, func)

    def resetTimeout(self) -> None:
        """Count from now. Does nothing without a timeout, and after it has passed."""
        call = self.__timeoutCall
        if call is not None and self.timeOut is not None:
            call.reset(self.timeOut)

    def setTimeout(self, period: float | None) -> float | None:
        """Count from now with another period.

        :param period: seconds, or None to stop counting.
        :returns: the period that was in force.
        """
        previous, self.timeOut = self.timeOut, period
        call, self.__timeoutCall = self.__timeoutCall, None
        if call is not None and call.active():  # who stops a reactor or clears a clock may have cancelled it
            if period is not None:
                call.reset(period)
                self.__timeoutCall = call
                return previous
            call.cancel()
        if period is not None:
            self.__timeoutCall = self.callLater(period, self.__timedOut)
        return previous

    def __timedOut(self) -> None:
        self.__timeoutCall = None
        self.timeoutConnection()

    def timeoutConnection(self) -> None:
        """Be told that the time is up. Closes the connection; override it to do something else.

        What is written is still sent, which takes as long as the peer takes to read it. Call the transport's
        ``abortConnection`` in an override, here or some time later, to have an end even if the peer does not read.
        """
        self.transport.loseConnection()  # type: ignore[attr-defined]  # the protocol's, with which this is mixed


class TimeoutProtocol(ProtocolWrapper):
    """Closes a connection on which nothing was sent or received for some time.

    :ivar timeoutCall: the :class:`IDelayedCall` at whose time the connection is closed, or None.
    :ivar timeoutPeriod: the seconds of silence after which that is; None for never.
    """

    factory: TimeoutFactory

    def __init__(self, factory: TimeoutFactory, wrappedProtocol: Any, timeoutPeriod: float | None) -> None:
        """Wrap a protocol, and begin to count.

        :param factory: whose ``callLater`` is used.
        :param wrappedProtocol: the protocol.
        :param timeoutPeriod: seconds, or None to begin without a timeout.
        """
        super().__init__(factory, wrappedProtocol)
        self.timeoutCall: IDelayedCall | None = None
        self.timeoutPeriod: float | None = None
        self.setTimeout(timeoutPeriod)

    def setTimeout(self, timeoutPeriod: float | None = None) -> None:
        """Count from now, instead of from when that was last done.

        :param timeoutPeriod: seconds; None to leave the period as it is. Without any, nothing is counted.
        """
        self.cancelTimeout()
        if timeoutPeriod is not None:
            self.timeoutPeriod = timeoutPeriod
        if self.timeoutPeriod is not None:
            self.timeoutCall = self.factory.callLater(self.timeoutPeriod, self._time_is_up)

    def cancelTimeout(self) -> None:
        """Stop counting, until :meth:`setTimeout` is called. Does nothing if nothing is counted."""
        call, self.timeoutCall = self.timeoutCall, None
        if call is not None and call.active():
            call.cancel()

    def resetTimeout(self) -> None:
        """Count from now, because something has happened. Does nothing if nothing is counted."""
        call = self.timeoutCall
        if call is not None and call.active() and self.timeoutPeriod is not None:
            call.reset(self.timeoutPeriod)

    def write(self, data: bytes) -> None:
        """Pass this on to the transport, and count from now."""
        self.resetTimeout()
        super().write(data)

    def writeSequence(self, seq: Iterable[bytes]) -> None:
        """Pass this on to the transport, and count from now."""
        self.resetTimeout()
        super().writeSequence(seq)

    def dataReceived(self, data: bytes) -> None:
        """Pass this on to the protocol, and count from now."""
        self.resetTimeout()
        super().dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # nobody calls it without
        """Pass this on to the protocol, and stop counting."""
        self.cancelTimeout()
        super().connectionLost(reason)

    def _time_is_up(self) -> None:
        self.timeoutCall = None
        self.timeoutFunc()

    def timeoutFunc(self) -> None:
        """Be told that the time is up. Closes the connection; override it to do something else."""
        self.loseConnection()


class TimeoutFactory(WrappingFactory):
    """Wraps a factory so that idle connections of its protocols are closed.

    :ivar timeoutPeriod: the seconds of silence after which that is done; for connections that are still to come.
    """

    protocol = TimeoutProtocol

    def __init__(self, wrappedFactory: Any, timeoutPeriod: float | None = 30 * 60) -> None:
        """Wrap a factory.

        :param wrappedFactory: makes the protocols.
        :param timeoutPeriod: seconds; None for connections that may be idle for ever.
        """
        self.timeoutPeriod = timeoutPeriod
        super().__init__(wrappedFactory)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Have the wrapped factory make a protocol, and wrap it; None if it makes none."""
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else self.protocol(self, wrapped, timeoutPeriod=self.timeoutPeriod)

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """Call *func* in *period* seconds: by the current reactor, or by whatever clock an override prefers."""
        return _current.current_reactor().callLater(period, func)
