"""The server's side of a connection: one request after the other, each within its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.status.answers import Answer, failure
from torsion.application.status.requests import Refusal, RequestReader
from torsion.internet.defer import CancelledError, Deferred, maybeDeferred
from torsion.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from torsion.internet.protocol import Protocol, ServerFactory
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.application.status.requests import Request
    from torsion.python.failure import Failure

__all__ = ["MAX_CONNECTIONS", "StatusFactory", "StatusProtocol"]

_log = Logger("torsion.application.status")

MAX_CONNECTIONS = 64
"""How many connections are served at a time; further ones are told so and closed.  A browser opens up to six to a host, a
scraper one; what watches must not use up what is watched."""

HEAD_SECONDS = 10.0
"""How long a request may take to come in."""

IDLE_SECONDS = 30.0
"""How long a connection may wait for its next request; longer than scrapers' common interval of 15 seconds."""

ANSWER_SECONDS = 8.0
"""How long an answer may take to be made; below the ten seconds after which common scrapers give up, so that they hear why."""

SEND_SECONDS = 30.0
"""How long a peer may take to read an answer."""

LINGER_SECONDS = 2.0
"""How long a connection is read on after its last answer: to close over unread bytes would destroy the answer on its way."""


@implementer(IHalfCloseableProtocol, IPushProducer)
class StatusProtocol(Protocol):
    """Answers requests, in order and one at a time: it does not read while it answers, nor while its peer does not read."""

    factory: StatusFactory
    transport: Any

    def __init__(self) -> None:
        self._reader = RequestReader()
        self._timer: Any = None
        self._idle = False
        self._answering: Deferred[Any] | None = None
        self._choked = False  # whether the peer has not taken the last answer yet
        self._serving = False  # whether the loop over requests is on the stack
        self._ending = False  # whether the last answer was sent
        self._eof = False  # whether the peer sends no more

    def connectionMade(self) -> None:
        """Wait for a request, or say that there are too many of them."""
        self.transport.registerProducer(self, True)
        if self.factory.opened(self):
            self._allow(HEAD_SECONDS, self._late)
        else:
            self._refuse(failure(503, "There are too many connections to this page."))

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Be gone; what is being answered is not wanted any more."""
        self._ending = True
        self._allow(None, None)
        self.factory.closed(self)
        if self._answering is not None:
            self._answering.cancel()

    # --- reading -----------------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take a part of a request."""
        if self._ending:
            return
        if self._idle:
            self._idle = False
            self._allow(HEAD_SECONDS, self._late)
        self._reader.receive(data)
        self._go_on()

    def readConnectionLost(self) -> None:
        """Close once what was asked for is answered: the peer asks no more."""
        self._eof = True
        if self._ending:
            self._close()
        else:
            self._go_on()

    def writeConnectionLost(self) -> None:
        """Wait for the peer to close as well."""

    def _go_on(self) -> None:
        """Answer the requests that are there, until one takes its time."""
        if self._serving:
            return
        self._serving = True
        try:
            while self._answering is None and not self._choked and not self._ending:
                request = self._reader.next()
                if isinstance(request, Refusal):
                    self._refuse(failure(request.status, request.reason), head=request.head)
                elif request is not None:
                    self._answer(request)
                elif self._eof:
                    self._close()
                else:
                    return
        finally:
            self._serving = False

    def _late(self) -> None:
        if self._idle:
            self._close()
        else:
            self._refuse(failure(408, "The request did not come in time."))

    # --- answering ---------------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> None:
        self.transport.pauseProducing()
        self._answering = answering = maybeDeferred(self.factory.answer, request)
        self._allow(ANSWER_SECONDS, answering.cancel)
        answering.addErrback(self._failed).addCallback(self._send, request)

    def _failed(self, reason: Failure) -> Answer:
        if reason.check(CancelledError):
            return failure(503, "The figures could not be gathered in time.")
        _log.failure("The page of status could not be made", reason)
        return failure(500, "The figures could not be gathered; the log tells why.")

    def _send(self, answer: Answer, request: Request) -> None:
        self._answering = None
        if self._ending:  # the connection was lost meanwhile
            return
        head = request.method == "HEAD"
        if not request.persistent or self._eof or self.factory.ending():
            self._refuse(answer, head=head)
            return
        self._wait()
        self.transport.write(answer.data(head=head, persistent=True))
        if not self._choked:
            self.transport.resumeProducing()
            self._go_on()

    def _wait(self) -> None:
        """Wait for another request."""
        self._idle = not self._reader.begun
        self._allow(IDLE_SECONDS if self._idle else HEAD_SECONDS, self._late)

    def finish(self) -> None:
        """Close once what has been asked for is answered."""
        if self._answering is None and not self._choked and not self._ending:
            self._close()

    def _refuse(self, answer: Answer, *, head: bool = False) -> None:
        """Send the last answer, and read on until the peer has it."""
        self._ending = True
        self.transport.write(answer.data(head=head, persistent=False))
        self.transport.unregisterProducer()
        self.transport.resumeProducing()
        if self._eof:
            self._close()
        else:
            self.transport.loseWriteConnection()
            self._allow(LINGER_SECONDS, self._close)

    # --- the peer that does not read ---------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """Answer nothing more before the peer has taken what was sent."""
        self._choked = True
        self._allow(SEND_SECONDS, self._abort)

    def resumeProducing(self) -> None:
        """Go on."""
        self._choked = False
        if self._answering is None and not self._ending:
            self._wait()
            self.transport.resumeProducing()
            self._go_on()

    def stopProducing(self) -> None:
        """Do nothing: the protocol is told that the connection is lost."""

    # --- the end -----------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        if not self._ending:
            self._ending = True
            self.transport.unregisterProducer()
        self._allow(SEND_SECONDS, self._abort)
        self.transport.loseConnection()

    def _abort(self) -> None:
        self.transport.abortConnection()

    def _allow(self, seconds: float | None, then: Callable[[], object] | None) -> None:
        """Call *then* in some seconds, and nothing of what was to be called so far."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        if seconds is not None and then is not None:
            self._timer = self.factory.reactor.callLater(seconds, then)


class StatusFactory(ServerFactory[StatusProtocol]):
    """What the connections share: who makes answers, and how many there are."""

    noisy = False
    protocol = StatusProtocol
    operating = True
    """That its port is the command's own, and no service's."""

    def __init__(
        self,
        reactor: Any,
        answer: Callable[[Request], Any],
        ending: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make one.

        :param reactor: keeps the time.
        :param answer: is called with each request, and returns an answer or a Deferred of one, which may be cancelled.
        :param ending: tells whether connections are to be closed after each answer, since the process is about to end.
        """
        self.reactor = reactor
        self.answer = answer
        self._ending = ending
        self._stopped = False
        self._connections: set[StatusProtocol] = set()

    def ending(self) -> bool:
        """Tell whether connections end after the next answer."""
        return self._stopped or self._ending()

    def startFactory(self) -> None:
        """Begin."""
        self._stopped = False

    def stopFactory(self) -> None:
        """Let connections end, those that wait for a request at once."""
        self._stopped = True
        for connection in list(self._connections):
            connection.finish()

    def opened(self, connection: StatusProtocol) -> bool:
        """Have another connection, or say that there are as many as there may be."""
        if len(self._connections) >= MAX_CONNECTIONS:
            return False
        self._connections.add(connection)
        return True

    def closed(self, connection: StatusProtocol) -> None:
        """Have one connection less."""
        self._connections.discard(connection)
