"""A limit for the whole of a request, whatever is done for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import CancelledError, Deferred
from torsion.python.failure import Failure
from torsion.web.client.errors import RequestTimedOut, _Wrapped
from torsion.web.iweb import IAgent

if TYPE_CHECKING:
    from torsion.web.http_headers import Headers

__all__ = ["TimeLimitAgent", "cause_of"]


@implementer(IAgent)
class TimeLimitAgent:
    """Gives requests up that take too long, with all that belongs to them: waiting, redirects, the body."""

    def __init__(self, agent: Any, reactor: Any, seconds: float) -> None:
        """Limit another agent's requests.

        :param agent: the agent, the outermost one else.
        :param reactor: provides ``IReactorTime``.
        :param seconds: how long a request may take.
        """
        self._agent = agent
        self._reactor = reactor
        self._seconds = seconds

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: Any = None
    ) -> Deferred[Any]:
        """Make a request: see :meth:`torsion.web.iweb.IAgent.request`.

        The Deferred fails with :class:`RequestTimedOut` if it takes too long; the body, with a :class:`ResponseFailed` of it.
        """
        late = RequestTimedOut("the request", self._seconds)
        response: Any = None
        over = False

        def expired() -> None:
            nonlocal over
            over = True
            if response is None:
                asked.cancel()
            else:
                response.abort(late)

        def answered(found: Any) -> Any:
            nonlocal response
            response = found
            finishing = getattr(found, "whenFinished", None)
            if finishing is None:  # of another kind: only its head can be waited for
                finished(None)
            else:
                finishing().addCallback(finished)
            return found

        def failed(reason: Failure) -> Any:
            finished(None)
            if over and reason.check(CancelledError, _Wrapped):
                raise late
            return reason

        def finished(_: object) -> None:
            if call.active():
                call.cancel()

        call = self._reactor.callLater(self._seconds, expired)
        try:
            asked: Deferred[Any] = self._agent.request(method, uri, headers, bodyProducer)
        except BaseException:
            call.cancel()
            raise
        return asked.addCallbacks(answered, failed)


def cause_of(error: BaseException) -> BaseException:
    """Return what is behind an error of many reasons: the first of them, however deep."""
    while isinstance(error, _Wrapped) and error.reasons:
        error = error.reasons[0].value
    return error
