"""A kept connection may be closed by the server just as a request leaves: then it is made again on a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.defer import CancelledError
from torsion.web.client.errors import (
    RequestNotSent,
    RequestTimedOut,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.defer import Deferred
    from torsion.python.failure import Failure
    from torsion.web.client.request import Request

__all__ = ["Retrying", "may_repeat"]

REPEATABLE = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"DELETE"})
"""Methods that may be made twice with the effect of once: RFC 9110, 9.2.2.  PUT has a body, which cannot be sent again."""


def may_repeat(request: Request, error: BaseException) -> bool:
    """Return whether *request*, which failed with *error* on a kept connection, is to be made again."""
    if request.method not in REPEATABLE or request.bodyProducer is not None:
        return False
    if not isinstance(error, RequestNotSent | RequestTransmissionFailed | ResponseNeverReceived):
        return False
    reasons = error.reasons if isinstance(error, RequestTransmissionFailed | ResponseFailed) else ()
    return not any(each.check(CancelledError, RequestTimedOut) for each in reasons)


class Retrying:
    """A kept connection, for one request."""

    __slots__ = ("_another", "_connection", "_request")

    def __init__(self, connection: Any, another: Callable[[], Deferred[Any]]) -> None:
        """Try *connection* first, and what *another* returns then."""
        self._connection = connection
        self._another = another
        self._request: Any = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._connection!r}>"

    def request(self, request: Request) -> Deferred[Any]:
        """Make a request: see :meth:`HTTP11ClientProtocol.request`."""
        self._request = request
        asked: Deferred[Any] = self._connection.request(request)
        return asked.addErrback(self._again)

    def _again(self, reason: Failure) -> Any:
        if not may_repeat(self._request, reason.value):
            return reason
        return self._another().addCallback(lambda connection: connection.request(self._request))
