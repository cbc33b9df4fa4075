"""A client that does not give up."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from torsion.internet._current import current_reactor
from torsion.internet.error import NotConnectingError
from torsion.internet.interfaces.stream import IConnector
from torsion.internet.interfaces.time import IDelayedCall, IReactorTime
from torsion.internet.protocol.client import ClientFactory
from torsion.internet.protocol.factory import _P
from torsion.logger import Logger
from torsion.python.failure import Failure


class ReconnectingClientFactory(ClientFactory[_P]):
    """A client factory that connects again whenever an attempt fails or a connection is lost.

    The wait before an attempt grows with each failure, with some chance in it, so that the many clients of a server
    that comes back do not come back all at once. Call :meth:`resetDelay` when a connection has proved its worth, as a
    rule once the peer has answered sensibly; a connection alone does not reset it, lest a server that accepts and
    closes be asked without pause.
    """

    initialDelay: float = 1.0
    """The first wait, in seconds. Set it in a subclass, or on an instance before a call of :meth:`resetDelay`."""
    maxDelay: float = 3600
    """The longest wait, in seconds."""
    factor: float = 2.718281828459045
    """By how much each wait is longer than the one before. A small factor asks often: below 1.5 think of the server."""
    jitter: float | None = 0.119626565582
    """The standard deviation of a wait, as a share of it; None leaves nothing to chance."""
    maxRetries: int | None = None
    """After how many attempts in a row to give up; None for never."""

    delay: float = initialDelay
    """The next wait, in seconds and before chance."""
    retries: int = 0
    """How many attempts were made in a row since the last reset."""
    continueTrying: bool | int = True
    """Whether to try again; :meth:`stopTrying` makes it false."""
    connector: IConnector | None = None
    """The connector that was lost, or that failed, last."""
    clock: IReactorTime | None = None
    """Where to wait; None for the reactor."""

    _waiting: frozenset[IDelayedCall] = frozenset()
    _retryLog = Logger()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "initialDelay" in cls.__dict__ and "delay" not in cls.__dict__:
            cls.delay = cls.initialDelay  # or else it would count only from the first reset on

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Try again, unless told to stop.

        :param connector: whose attempt failed.
        :param reason: why.
        """
        if self.continueTrying:
            self.connector = connector
            self.retry()

    def clientConnectionLost(self, connector: IConnector, unused_reason: Failure) -> None:
        """Try again, unless told to stop.

        :param connector: whose connection is lost.
        :param unused_reason: why.
        """
        if self.continueTrying:
            self.connector = connector
            self.retry()

    def retry(self, connector: IConnector | None = None) -> None:
        """Connect again after the wait, unless told to stop or tried too often.

        :param connector: what to connect; None for the one that failed or was lost last.
        :raises ValueError: if none was given and none has failed or was lost.
        """
        if connector is None:
            connector = self.connector
            if connector is None and self.continueTrying:
                raise ValueError(f"{self!r} has no connector to retry: it never had one, so give it as an argument")
        if connector is None or not self.continueTrying:
            self._say("Abandoning {connector} on explicit request", connector=connector)
            return
        if self.maxRetries is not None and self.retries >= self.maxRetries:
            self._say("Abandoning {connector} after {retries} retries", connector=connector, retries=self.retries)
            return
        self.retries += 1
        wait = self._nextWait()
        self._say("{connector} will retry in {wait:.1f} seconds", connector=connector, wait=wait)
        clock = current_reactor() if self.clock is None else self.clock
        self._wait(clock, wait, connector)

    def _nextWait(self) -> float:
        """Return how long to wait now, and lengthen the wait after it."""
        wait = min(self.delay, self.maxDelay)
        self.delay = min(self.delay * self.factor, self.maxDelay)
        if self.jitter:
            import random  # here, since it is slow to load and most programs never come by

            wait = abs(random.normalvariate(wait, wait * self.jitter))
            if wait > self.maxDelay:  # mirrored and not cut, which would bring all of them together at the limit
                wait = max(0.0, 2 * self.maxDelay - wait)
        return wait

    def _wait(self, clock: IReactorTime, seconds: float, connector: IConnector) -> None:
        def reconnect() -> None:
            self._waiting -= {call}
            connector.connect()

        call = clock.callLater(seconds, reconnect)
        self._waiting |= {call}

    def _say(self, text: str, **fields: Any) -> None:
        if self.noisy:
            self._retryLog.info(text, factory=self, **fields)

    def stopTrying(self) -> None:
        """Give up: no more attempts, and the one that waits or is under way is called off.

        A connection that stands is left alone.
        """
        self.continueTrying = False
        for call in self._waiting:
            call.cancel()
        self._waiting = frozenset()
        if self.connector is not None:
            with suppress(NotConnectingError):
                self.connector.stopConnecting()

    def resetDelay(self) -> None:
        """Forget the failures so far: the next wait is the first one again, and trying goes on if it was stopped."""
        self.delay = self.initialDelay
        self.retries = 0
        self.continueTrying = True

    def __getstate__(self) -> dict[str, Any]:
        """Return what is worth pickling: the settings, and nothing of the attempts under way."""
        state = self.__dict__.copy()
        for name in ("connector", "retries", "delay", "continueTrying", "clock", "_waiting"):
            state.pop(name, None)
        return state
