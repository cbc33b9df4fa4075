"""A resource that is an application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from zope.interface import implementer

from torsion.internet import _current
from torsion.internet.defer import Deferred
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.asgi.conversation import Conversation
from torsion.web.asgi.lifespan import Lifespan
from torsion.web.asgi.runner import findRunner
from torsion.web.asgi.socket import SocketConversation, asks_for_socket
from torsion.web.http.status import NOT_IMPLEMENTED, SERVICE_UNAVAILABLE
from torsion.web.resource import NOT_DONE_YET, IResource

if TYPE_CHECKING:
    from torsion.web.asgi.runner import AsyncRunner
    from torsion.web.websocket.settings import Settings

__all__ = ["ASGIResource"]

_log = Logger(namespace="torsion.web.asgi")

SHUTDOWN_SECONDS: Final = 10.0
"""So many seconds requests may take to end when the reactor stops, and so many the application then, before it is left alone: an
application that hangs must not keep the process from ending."""

UPGRADE_REQUIRED: Final = 426
"""The status code for another version of WebSocket: RFC 6455, 4.4."""

_missing_was_told = False


def _refusal(request: Any) -> int | None:
    """Return the status code for a WebSocket that cannot be had; None if it can."""
    global _missing_was_told
    try:
        import torsion.web.websocket.codec  # noqa: F401 - so that it is known whether it is there
        from torsion.web.websocket.resource import refusal
    except ImportError as missing:
        if not _missing_was_told:
            _missing_was_told = True
            _log.warn("A WebSocket was asked for: {missing}", missing=missing)
        return NOT_IMPLEMENTED
    return refusal(request)


@implementer(IResource)
class ASGIResource:
    """A resource whose answers are those of an application of ASGI 3, at its URL and all below it.

    The application sees a running loop of asyncio, whichever the reactor.  Bodies are streamed to it as they come where the
    site's ``streamsBodies`` is true; else they are there as a whole.  WebSockets are the application's, too, over HTTP/1.1 and
    where the library wsproto is installed; which pages may open them (their ``Origin``) is the application's to say.

    :ivar started: None as long as the application starts, True once it has, a Failure if it cannot.
    """

    isLeaf = True
    streamsBody = True

    _gave_up = False

    def __init__(
        self,
        application: Any,
        runner: AsyncRunner | None = None,
        reactor: Any = None,
        lifespan: bool = True,
        *,
        sockets: Settings | None = None,
    ) -> None:
        """Make a resource of an application.

        :param application: called with a scope, ``receive`` and ``send``; returns a coroutine.
        :param runner: runs it; by default what a plugin has for asyncio.
        :param reactor: the reactor; the current one by default.
        :param lifespan: whether the application is told of the beginning and the end of the server.  It is told when the
            reactor runs, and requests wait until it is ready; when the reactor stops, it is told when all are answered.
        :param sockets: limits and time-outs of WebSockets; which sub-protocols there are is the application's to say.
        """
        self._application = application
        self._reactor = _current.current_reactor() if reactor is None else reactor
        self._given_runner = runner
        self._runner: AsyncRunner | None = None
        self._sockets = sockets
        self._active: set[Conversation | SocketConversation] = set()
        self._idle: Deferred[None] | None = None
        self._waiting: list[Any] | None = None
        self._watching: list[Deferred[None]] = []
        self._lifespan: Lifespan | None = None
        self._stopping: Deferred[None] | None = None
        self.started: Any = True
        if lifespan:
            self.started = None
            self._waiting = []
            self._reactor.callWhenRunning(self._start_up)

    # --- requests ----------------------------------------------------------------------------------------------------

    def render(self, request: Any) -> int:
        """Have the application answer."""
        if self.started is True:
            self._begin(request)
        elif self.started is None:
            assert self._waiting is not None
            self._waiting.append(request)
            request.notifyFinish().addBoth(self._waits_no_longer, request)
        else:
            self._refuse(request)
        return NOT_DONE_YET

    def _waits_no_longer(self, result: Any, request: Any) -> None:
        if self._waiting is not None and request in self._waiting:
            self._waiting.remove(request)

    def _begin(self, request: Any) -> None:
        runner = self._runner
        if runner is None:
            runner = self._find_runner()
        lifespan = self._lifespan
        conversation: Conversation | SocketConversation
        if asks_for_socket(request):
            code = _refusal(request)
            if code is not None:
                request.channel.persistent = False
                request.setHeader(b"connection", b"close")
                self._answer(request, code, b"This is no handshake of a WebSocket that can be answered.\n")
                return
            conversation = SocketConversation(request, runner, self._over, self._sockets, self._reactor)
        else:
            conversation = Conversation(request, runner, self._over)
        self._active.add(conversation)
        try:
            conversation.begin(self._application, None if lifespan is None else lifespan.state)
        except BaseException:
            self._over(conversation)  # else the end would wait for it
            raise

    def _find_runner(self) -> AsyncRunner:
        runner = self._runner = findRunner(self._reactor) if self._given_runner is None else self._given_runner
        return runner

    def _over(self, conversation: Conversation | SocketConversation) -> None:
        self._active.discard(conversation)
        if not self._active and self._idle is not None:
            idle, self._idle = self._idle, None
            idle.callback(None)

    def _refuse(self, request: Any) -> None:
        self._answer(request, SERVICE_UNAVAILABLE, b"The application could not start.\n")

    def _answer(self, request: Any, code: int, body: bytes) -> None:
        request.setResponseCode(code)
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        request.setHeader(b"content-length", b"%d" % len(body))
        if code == UPGRADE_REQUIRED:
            request.setHeader(b"sec-websocket-version", b"13")
        request.write(body)
        request.finish()

    # --- the application's life --------------------------------------------------------------------------------------

    def _start_up(self) -> None:
        self._lifespan = Lifespan(self._application, self._find_runner())
        self._reactor.addSystemEventTrigger("before", "shutdown", self.stop)
        self._lifespan.startUp().addCallbacks(self._ready, self._cannot_start)

    def whenStarted(self) -> Deferred[None]:
        """Return a Deferred that fires when the application has started, and fails with why it cannot."""
        watching: Deferred[None] = Deferred()
        self._watching.append(watching)
        self._tell()
        return watching

    @property
    def stopping(self) -> bool:
        """Whether the end has begun, or was there."""
        return self._stopping is not None

    def _tell(self) -> None:
        if self.started is None:
            return
        watching, self._watching = self._watching, []
        for each in watching:
            if self.started is True:
                each.callback(None)
            else:
                each.errback(self.started)

    def _ready(self, _: None) -> None:
        self.started = True
        self._tell()
        waiting, self._waiting = self._waiting or [], None
        for request in waiting:
            try:
                self._begin(request)
            except Exception:  # noqa: BLE001 - whatever it is, it is this request's
                request.processingFailed(Failure())

    def _cannot_start(self, reason: Failure) -> None:
        if not self.stopping:
            _log.failure("An application cannot start; requests are answered with 503", reason)
        self.started = reason
        self._tell()
        waiting, self._waiting = self._waiting or [], None
        for request in waiting:
            self._refuse(request)

    def stop(self) -> Deferred[None]:
        """Tell the application that the server ends, once its requests are answered; the reactor's end does that by itself.

        :returns: a Deferred that fires when it is done with that, or has taken too long; it never fails.  To cancel it, or another
            that this has returned, is to wait no longer.
        """
        if self._stopping is None:
            self._stopping = Deferred()
            self._shutting = self._shut_down()
            self._shutting.chainDeferred(self._stopping)
        stopped: Deferred[None] = Deferred(lambda _: self._give_up())
        self._stopping.addCallback(lambda _: None if stopped.called else stopped.callback(None))
        return stopped

    def _give_up(self) -> None:
        self._gave_up = True
        self._shutting.cancel()

    def _shut_down(self) -> Deferred[None]:
        lifespan = self._lifespan
        idle: Deferred[None] = Deferred()
        for conversation in tuple(self._active):
            if isinstance(conversation, SocketConversation):
                conversation.goAway()  # it would go on for ever
        if self._active:
            self._idle = idle
        else:
            idle.callback(None)
        idle.addTimeout(SHUTDOWN_SECONDS, self._reactor)

        def idle_or_late(_: Any) -> Any:
            self._idle = None
            if lifespan is None or self._gave_up:
                return None
            return lifespan.shutDown().addTimeout(SHUTDOWN_SECONDS, self._reactor)

        def late(_: Failure) -> None:
            _log.warn("An application takes too long to shut down, and is left alone")

        return idle.addBoth(idle_or_late).addErrback(late)

    # --- a leaf ------------------------------------------------------------------------------------------------------

    def getChildWithDefault(self, name: bytes, request: Any) -> Any:
        """Refuse: it is the application that leads on from here.

        :raises RuntimeError: always.
        """
        raise RuntimeError("an ASGIResource has no children: it is a leaf, and the application leads on")

    def putChild(self, path: bytes, child: Any) -> None:
        """Refuse: it is the application that leads on from here.

        :raises RuntimeError: always.
        """
        raise RuntimeError("an ASGIResource takes no children: put them beside it, below another resource")
