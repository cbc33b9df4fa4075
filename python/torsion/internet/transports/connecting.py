"""What all connections to be made have in common: they are tried, timed, lost, and made again if the program wants so."""

from __future__ import annotations

from os import strerror
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion._native import REASON_RAISED
from torsion.internet.interfaces import IConnector
from torsion.internet.transports.dialect import Dialect
from torsion.internet.transports.numeric import patience
from torsion.internet.transports.owner import Home, StreamOwner

if TYPE_CHECKING:
    from torsion._native import Connector as NativeConnector
    from torsion._native import Stream
    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IDelayedCall
    from torsion.python.failure import Failure

__all__ = ["Attempt", "BaseConnector"]


class Attempt:
    """One attempt to connect; what arrives for another one than the connector's present attempt is late and dropped."""

    __slots__ = ("dialect", "native", "resolving")

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.native: NativeConnector | None = None
        self.resolving: Deferred[str] | None = None

    def cancel(self) -> None:
        """Let go of whatever is under way."""
        native, self.native = self.native, None
        if native is not None:
            native.cancel()
        resolving, self.resolving = self.resolving, None
        if resolving is not None:
            try:
                resolving.cancel()
            except BaseException:  # noqa: BLE001 - a resolver of the program's own, say; the attempt has ended all the same
                self.dialect.log.failure("Cancelling a look-up raised")


@implementer(IConnector)
class BaseConnector(StreamOwner):
    """A connection to be made (``IConnector``).

    :ivar state: ``disconnected``, ``connecting`` or ``connected``.
    :ivar transport: the connection, while there is one.
    """

    client = True

    def __init__(self, factory: Any, timeout: float | None, reactor: Home) -> None:
        """Prepare a connection; :meth:`connect` makes it.

        :raises TypeError, ValueError: if *timeout* cannot be used.
        """
        super().__init__(reactor)
        self.factory = factory
        self.timeout = patience(timeout)
        self.state = "disconnected"
        self.transport: Stream | None = None
        self._attempt: Attempt | None = None
        self._timer: IDelayedCall | None = None
        self._factory_started = False

    # --- what each kind does in its own way --------------------------------------------------------------------------

    def begin(self, attempt: Attempt) -> None:
        """Begin to connect: set ``attempt.native``, or call :meth:`fail_soon`."""
        raise NotImplementedError

    def explain_errno(self, errno: int, text: str) -> Any:
        """Return the error to tell the factory for the system's *errno*."""
        return self.dialect.error.getConnectError((errno, text))

    def getDestination(self) -> Any:
        """Return where the connection goes, as it was asked for."""
        raise NotImplementedError

    def locate(self, address: Any) -> Any:
        """Return *address*, as the engine has it, as an ``IAddress``."""
        raise NotImplementedError

    def destination(self) -> str:
        """Return that for people to read."""
        raise NotImplementedError

    # --- what the program calls --------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Try to connect: see ``IConnector``.  The factory is told how it ends, never before this returns.

        :raises RuntimeError: if an attempt is under way or the connection stands.
        """
        if self.state != "disconnected":
            raise RuntimeError(f"{self!r} cannot connect while it is {self.state}")
        self.reactor.engine.wakeup_fileno()  # which refuses other threads, before anything has begun
        self.state = "connecting"
        try:
            if not self._factory_started:
                self.factory.doStart()
                self._factory_started = True
            attempt = self._attempt = Attempt(self.dialect)
            self.reactor.open_handles[self] = None
            if self.timeout:
                self._timer = self.reactor.callLater(self.timeout, self._timed_out)
            self.begin(attempt)
        except BaseException:
            self._end_attempt()
            self._rest()
            raise
        try:
            self.factory.startedConnecting(self)
        except BaseException:  # noqa: BLE001 - it costs the attempt, and is told like any failure
            self.dialect.log.failure("startedConnecting of {factory!r} raised", factory=self.factory)
            self.fail_soon(attempt, self.dialect.Failure())

    def stopConnecting(self) -> None:
        """Give the attempt up; the factory's ``clientConnectionFailed`` is called with ``UserError``.

        :raises torsion.internet.error.NotConnectingError: if no attempt is under way.
        """
        if self.state != "connecting":
            raise self.dialect.error.NotConnectingError("we're not trying to connect")
        self.reactor.engine.wakeup_fileno()  # which refuses other threads, before anything has ended
        self.connectionFailed(self.dialect.Failure(self.dialect.error.UserError()))

    def disconnect(self) -> None:
        """Close the connection, or give the attempt up, or do nothing if there is neither."""
        if self.state == "connecting":
            self.stopConnecting()
        elif self.transport is not None:
            self.transport.loseConnection()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {id(self):#x}, {self.state}, {self.getDestination()}>"

    def describe(self, stream: Stream) -> str:
        """Tell what *stream* is, for its representation."""
        return f"to {self.destination()}"

    def label(self, stream: Stream) -> str:
        """Tell what *stream* is, for log lines."""
        return "client"

    # --- the attempt -------------------------------------------------------------------------------------------------

    def fail_soon(self, attempt: Attempt, failure: Failure) -> None:
        """Tell the factory of a failure, but not before the caller returns."""
        self.reactor.callFromThread(self._failed, attempt, failure)

    def _failed(self, attempt: Attempt, failure: Failure) -> None:
        if self._attempt is attempt:
            self.connectionFailed(failure)

    def _timed_out(self) -> None:
        self._timer = None
        why = f"no connection to {self.destination()} after {self.timeout} seconds"
        self.connectionFailed(self.dialect.Failure(self.dialect.error.TimeoutError(string=why)))

    def _end_attempt(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            self.reactor.open_handles.pop(self, None)
            attempt.cancel()

    # --- how it ends -------------------------------------------------------------------------------------------------

    def connectionFailed(self, reason: Failure) -> None:
        """The attempt has failed, or the connection has before there was a protocol: tell the factory."""
        self._end_attempt()
        self._tell("clientConnectionFailed", reason)

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone: tell the factory."""
        self._tell("clientConnectionLost", reason)

    def _tell(self, hook: str, reason: Failure) -> None:
        self.state = "disconnected"
        self.transport = None
        self._call(hook, self, reason)
        if self.state == "disconnected":  # else it connects again
            self._rest()

    def _rest(self) -> None:
        """Have nothing under way, and no use for the factory."""
        self.state = "disconnected"
        if self._factory_started:
            self._factory_started = False
            self._call("doStop")

    def _call(self, hook: str, *args: object) -> None:
        try:
            getattr(self.factory, hook)(*args)
        except BaseException:  # noqa: BLE001 - the connection is gone already; what else is there to lose?
            self.dialect.log.failure("{hook} of {factory!r} raised", hook=hook, factory=self.factory)

    def abandon(self, reason: Failure) -> None:
        """Give the attempt up, because the reactor stops."""
        if self.state == "connecting":
            self.connectionFailed(
                self.dialect.Failure(self.dialect.error.ConnectError(string=reason.getErrorMessage()))
            )

    # --- what the engine calls ---------------------------------------------------------------------------------------

    def connected(self, stream: Stream, /) -> None:
        """The connection stands: make it a protocol."""
        if self._attempt is not None:
            self._attempt.native = None
        self._end_attempt()
        self.state = "connected"
        self.transport = stream
        protocol = self.factory.buildProtocol(self.locate(stream.peer_address()))
        if protocol is None:
            stream.loseConnection()
        else:
            stream.protocol = protocol
            protocol.makeConnection(stream)

    def connect_failed(self, errno: int, /) -> None:
        """The connection could not be made."""
        if self._attempt is not None:
            self._attempt.native = None
        self.connectionFailed(self.dialect.Failure(self.explain_errno(errno, strerror(errno))))

    def lost(self, stream: Stream, code: int, errno: int, reason: Any, /) -> None:
        """The connection is gone: tell its protocol, then the factory."""
        failure = self.explain(code, errno, reason)
        protocol = stream.protocol
        if protocol is None and code == REASON_RAISED:  # buildProtocol did
            self.connectionFailed(failure)
            return
        if protocol is not None:
            stream.protocol = None
            try:
                protocol.connectionLost(failure)
            except BaseException as exception:  # noqa: BLE001 - the factory is to be told all the same
                self.raised(protocol, exception)
        elif not self.reactor.disconnecting and code != REASON_RAISED:
            failure = self.dialect.done()  # nobody wanted it: it was closed, however the peer took that
        self.connectionLost(failure)
