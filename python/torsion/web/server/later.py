"""Answers that come later: Deferreds, coroutines, and bodies that are made part by part."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import CancelledError, Deferred
from torsion.internet.error import ConnectionClosed
from torsion.internet.interfaces import IPushProducer
from torsion.logger import Logger
from torsion.web.error import UnsupportedMethod
from torsion.web.resource import NOT_DONE_YET

if TYPE_CHECKING:
    from torsion.python.failure import Failure
    from torsion.web.server.request import Request

__all__ = ["answer_later"]

_log = Logger(namespace="torsion.web.server")


def answer_later(request: Request, resrc: Any, result: Any) -> None:
    """Answer with what a renderer has returned that is neither plain bytes nor ``NOT_DONE_YET``.

    A Deferred or a coroutine is waited for, and cancelled if the client leaves; an asynchronous iterator is sent part by
    part, as fast as the client takes them.

    :param request: what is answered.
    :param resrc: the resource that has returned it.
    :param result: what it has returned.
    """
    if isinstance(result, bytes):
        request._answer(bytes(result))
    elif isinstance(result, Deferred):
        _Answer(request, resrc, result)
    elif inspect.iscoroutine(result):
        _Answer(request, resrc, Deferred.fromCoroutine(result))
    elif isinstance(result, AsyncIterable):
        _Answer(request, resrc, Deferred.fromCoroutine(_send_parts(request, result)))
    else:
        request._answerNoBytes(resrc, result)


class _Answer:
    """Waits for an answer."""

    _done = _left = False

    def __init__(self, request: Request, resrc: Any, answer: Deferred[Any]) -> None:
        self._request = request
        self._resource = resrc
        self._deferred = answer
        answer.addCallback(self._came).addErrback(self._failed)
        if not self._done:
            request.notifyFinish().addErrback(self._client_left)

    def _came(self, body: Any) -> None:
        self._done = True
        request = self._request
        if not self._left and not (body is None and request.finished):  # who has finished need not say so
            request._respond(self._resource, body)

    def _failed(self, reason: Failure) -> None:
        self._done = True
        if self._left or self._request._disconnected:
            # A renderer that was reading the body has got what the connection was lost with: that is no failure of its own.
            if reason.check(CancelledError, ConnectionClosed) is None:
                _log.failure("A renderer has failed after its client had left", reason)
        elif reason.check(UnsupportedMethod) is not None:
            error: Any = reason.value
            request = self._request
            try:
                request._respond(self._resource, request._renderOther(self._resource, error.allowedMethods))
            except Exception:  # noqa: BLE001 - as in Request.process
                from torsion.python.failure import Failure

                request.processingFailed(Failure())
        else:
            self._request.processingFailed(reason)

    def _client_left(self, reason: Failure) -> None:
        self._left = True
        if not self._done:
            self._deferred.cancel()


@implementer(IPushProducer)
class _Flow:
    """Says whether the client takes more."""

    _room: Deferred[None] | None = None
    paused = False

    def pauseProducing(self) -> None:
        """Send no more for now."""
        self.paused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self.paused = False
        room, self._room = self._room, None
        if room is not None:
            room.callback(None)

    def stopProducing(self) -> None:
        """Do nothing: the connection is lost, and whoever waits for room is cancelled for that."""

    def room(self) -> Deferred[None]:
        """Return a Deferred that fires when the client takes more."""
        self._room = Deferred(self._forget)
        return self._room

    def _forget(self, room: Deferred[None]) -> None:
        self._room = None


async def _send_parts(request: Request, parts: AsyncIterable[Any]) -> int:
    """Send the parts of a body, each when there is room for it, and finish.

    :raises TypeError: if a part is not bytes.
    """
    flow = _Flow()
    iterator = aiter(parts)
    try:
        if request.method == b"HEAD":
            request.write(b"")
        else:
            request.registerProducer(flow, True)
            async for part in iterator:
                if not isinstance(part, bytes):
                    raise TypeError(f"a part of a response's body must be bytes, not {part!r}")
                request.write(part)
                if flow.paused:
                    await flow.room()
    finally:
        if request.producer is flow:
            request.unregisterProducer()
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
    request.finish()
    return NOT_DONE_YET
