"""A client that is connected as long as it runs."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Any

from torsion.application.backoff import backoffPolicy
from torsion.application.service import Service
from torsion.application.watched import Watched, WatchingFactory
from torsion.internet._current import current_reactor
from torsion.internet.defer import CancelledError, Deferred, fail, maybeDeferred, succeed
from torsion.internet.error import NoProtocol
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.interfaces import IDelayedCall, IProtocolFactory, IReactorTime, IStreamClientEndpoint

__all__ = ["ClientService"]

_log = Logger("torsion.application.internet.ClientService")


class _State(Enum):
    NEW = "new"  # not started yet; unlike a stopped one it may be asked for a connection beforehand
    CONNECTING = "connecting"
    PREPARING = "preparing"  # connected, and the program's prepareConnection is at work
    CONNECTED = "connected"
    WAITING = "waiting"  # for the next attempt
    DISCONNECTING = "disconnecting"
    RESTARTING = "restarting"  # disconnecting, and started again in the meantime
    STOPPED = "stopped"


class ClientService(Service):
    """A service that keeps one connection to an endpoint, and makes a new one whenever it is lost or cannot be made.

    Ask :meth:`whenConnected` for its protocol whenever you need it, and do not keep that: it is another one after each
    loss.
    """

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        factory: IProtocolFactory,
        retryPolicy: Callable[[int], float] | None = None,
        clock: IReactorTime | None = None,
        prepareConnection: Callable[[Any], Any] | None = None,
    ) -> None:
        """Make a service that is not connected yet.

        :param endpoint: where to connect to.
        :param factory: makes a protocol for each connection.
        :param retryPolicy: takes the number of attempts that have failed in a row (1 after a loss), and returns for how
            many seconds to wait before the next; None for that of
            :func:`~torsion.application.backoff.backoffPolicy`.
        :param clock: where to wait; None for the reactor.
        :param prepareConnection: called with the protocol of each connection before anybody is given it, to log in,
            say; may return a Deferred.  If it raises or that fails, the connection is closed, and the attempt has failed.
        """
        self._endpoint = endpoint
        self._factory = factory
        self._policy = backoffPolicy() if retryPolicy is None else retryPolicy
        self._clock = clock
        self._prepare = prepareConnection
        self._state = _State.NEW
        self._failures = 0
        self._attempt: Deferred[Any] | None = None
        self._watched: Watched | None = None
        self._timer: IDelayedCall | None = None
        self._wanted: list[tuple[Deferred[Any], int | None]] = []
        self._stopping: list[Deferred[None]] = []

    def whenConnected(self, failAfterFailures: int | None = None) -> Deferred[Any]:
        """Ask for the connection's protocol.

        :param failAfterFailures: how many attempts may fail from now on until the Deferred does, with the last one's
            Failure; None to wait as long as the service runs.
        :returns: a Deferred that fires with the protocol: at once if the connection stands, else when it is made.  It
            fails with ``CancelledError`` when the service is stopped, or was stopped before.
        :raise ValueError: if *failAfterFailures* is less than 1.
        """
        if failAfterFailures is not None and failAfterFailures < 1:
            raise ValueError(f"failAfterFailures must be at least 1, or None: {failAfterFailures!r}")
        if self._state is _State.CONNECTED and self._watched is not None and self._watched.reason is None:
            return succeed(self._watched.protocol)  # it is not just being told of its loss
        if self._state is _State.STOPPED:
            return fail(CancelledError())

        def forget(cancelled: Deferred[Any]) -> None:
            self._wanted = [each for each in self._wanted if each[0] is not cancelled]

        wanted: Deferred[Any] = Deferred(forget)
        self._wanted.append((wanted, failAfterFailures))
        return wanted

    def startService(self) -> None:
        """Start to connect.  A second start of a service that runs is logged, and does nothing."""
        if self.running:
            _log.warn("Duplicate ClientService.startService {log_source}", log_source=self)
            return
        super().startService()
        self._failures = 0
        if self._state is _State.DISCONNECTING:
            self._state = _State.RESTARTING
        else:
            self._connect()

    def stopService(self) -> Deferred[None]:
        """Stop connecting, or disconnect; whoever waits for a connection gets a ``CancelledError``.

        :returns: a Deferred that fires when the connection is closed.
        """
        super().stopService()
        state, self._state = self._state, _State.STOPPED
        stopped: Deferred[None] = Deferred()
        if state in (_State.PREPARING, _State.CONNECTED, _State.DISCONNECTING, _State.RESTARTING):
            self._state = _State.DISCONNECTING
            self._stopping.append(stopped)
        else:
            stopped.callback(None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        if state in (_State.PREPARING, _State.CONNECTED) and self._watched is not None:
            self._watched.transport.loseConnection()
        self._give_up()
        return stopped

    # --- the course of things -----------------------------------------------------------------------------------------

    def _connect(self) -> None:
        """Begin an attempt."""
        self._state = _State.CONNECTING
        factory = WatchingFactory(self._factory, self._lost)
        self._attempt = attempt = maybeDeferred(self._endpoint.connect, factory)
        attempt.addCallback(self._made, factory, attempt)
        attempt.addErrback(self._not_made, attempt)

    def _made(self, made: Any, factory: WatchingFactory, attempt: Deferred[Any]) -> Deferred[None] | None:
        # As a rule it is what the endpoint fires with; one that wraps protocols itself may fire with something else.
        watched = made if isinstance(made, Watched) else factory.latest
        if watched is None:
            raise NoProtocol(f"{self._endpoint!r} connected without a protocol of {self._factory!r}")
        self._watched = watched
        if watched.reason is not None:  # lost before the endpoint said that it was made
            self._attempt = None
            self._lost(watched, watched.reason)
            return None
        self._state = _State.PREPARING
        if self._prepare is None:
            self._connected()
            return None
        preparing = maybeDeferred(self._prepare, watched.protocol)
        preparing.addCallback(lambda _: self._connected() if self._attempt is attempt else None)
        return preparing

    def _not_made(self, why: Failure, attempt: Deferred[Any]) -> None:
        """Go on after an attempt that failed, or could not be prepared; nothing if it was called off."""
        if self._attempt is not attempt:
            if not why.check(CancelledError):
                _log.debug("What became of an attempt to connect that was called off: {why}", why=why.value)
            return
        self._attempt = None
        watched, self._watched = self._watched, None
        if watched is not None:
            watched.transport.loseConnection()
        self._failed(why)

    def _connected(self) -> None:
        assert self._watched is not None
        self._attempt = None
        self._failures = 0
        self._state = _State.CONNECTED
        protocol = self._watched.protocol
        wanted, self._wanted = self._wanted, []
        for each, _ in wanted:
            each.callback(protocol)

    def _failed(self, why: Failure) -> None:
        """Wait for the next attempt, and tell those of this one who want to know."""
        self._wait(why)
        wanted, self._wanted = self._wanted, []
        told = []
        for each, left in wanted:
            if left is not None and left <= 1:
                told.append(each)
            else:
                self._wanted.append((each, None if left is None else left - 1))
        for each in told:
            each.errback(why)

    def _lost(self, watched: Watched, reason: Failure) -> None:
        """Take note that a connection is lost."""
        if watched is not self._watched:
            return  # one that could not be prepared, or whose attempt has not been heard of yet
        self._watched = None
        if self._state is _State.CONNECTED:
            self._wait(reason)
        elif self._state in (_State.CONNECTING, _State.PREPARING):
            attempt, self._attempt = self._attempt, None
            if attempt is not None:
                attempt.cancel()
            self._failed(reason)
        elif self._state is _State.RESTARTING:
            self._connect()
            self._tell_stopped()
        else:
            self._state = _State.STOPPED
            self._give_up()
            self._tell_stopped()

    def _tell_stopped(self) -> None:
        stopping, self._stopping = self._stopping, []
        for each in stopping:
            each.callback(None)

    def _wait(self, why: Failure) -> None:
        """Wait for the next attempt."""
        self._state = _State.WAITING
        self._failures += 1
        seconds = self._seconds()
        if getattr(self._factory, "noisy", True):
            _log.info(
                "{endpoint} is not connected; attempt {attempt} to connect follows in {seconds:.1f} seconds: {why}",
                endpoint=self._endpoint,
                attempt=self._failures,
                seconds=seconds,
                why=why.getErrorMessage(),
            )
        clock: Any = current_reactor() if self._clock is None else self._clock
        self._timer = clock.callLater(seconds, self._again)

    def _seconds(self) -> float:
        try:
            seconds = float(self._policy(self._failures))
            if not (math.isfinite(seconds) and seconds >= 0):
                raise ValueError(f"the policy {self._policy!r} gave {seconds!r}, and not a number of seconds to wait")
        except Exception:  # noqa: BLE001 - a function of the program's, whose fault must not end all trying
            _log.failure("The retry policy of {service} failed; the usual one is used", service=self)
            seconds = backoffPolicy()(self._failures)
        return seconds

    def _again(self) -> None:
        self._timer = None
        self._connect()

    def _give_up(self) -> None:
        """Tell those who wait for a connection that there will be none."""
        wanted, self._wanted = self._wanted, []
        for each, _ in wanted:
            each.errback(Failure(CancelledError()))
