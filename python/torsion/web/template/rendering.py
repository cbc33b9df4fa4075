"""A page as the response to a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from torsion.internet.defer import Deferred, ensureDeferred
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.http.status import INTERNAL_SERVER_ERROR
from torsion.web.resource import NOT_DONE_YET

from .flattening import Flattening, flatten
from .stan import Flattenable, Tag

__all__ = ["renderElement", "setFailElement"]

_log: Final = Logger()

_APOLOGY: Final = b'<div style="font-size:800%;background-color:#FFF;color:#F00">An error occurred while rendering the response.</div>'


def _plain(failure: Failure) -> Flattenable:
    """Return a failure as a page."""
    return Tag("pre")(failure.getTraceback())


_fail_element: Callable[[Failure], Flattenable] = _plain


def setFailElement(maker: Callable[[Failure], Flattenable]) -> None:
    """Say what makes pages of failures, for sites that display tracebacks; ``torsion.web.util`` does."""
    global _fail_element
    _fail_element = maker


class _Response:
    """The making of a response."""

    def __init__(self, request: Any, doctype: bytes | None, fail_element: Callable[[Failure], Flattenable]) -> None:
        self._request = request
        self._before = b"" if doctype is None else doctype + b"\n"
        self._fail_element = fail_element
        self._gone = False
        self._producing = False
        self._making: Deferred[None] | None = None

    def begin(self, element: Flattenable) -> None:
        """Make the page, and write it as it is made."""
        request = self._request
        flattening = Flattening(request, self._write)
        # A client that reads slowly is waited for. Requests that are stand-ins in tests ask push producers for data as well.
        self._producing = _holds_back(request)
        if self._producing:
            request.registerProducer(flattening, True)
        request.notifyFinish().addErrback(self._left)
        self._making = ensureDeferred(flattening.run(element))
        if self._gone:
            self._making.cancel()
        self._making.addErrback(self._failed).addErrback(self._failed_again).addBoth(self._end)

    def _write(self, data: bytes) -> None:
        """Write a part of the page, the first after the document's type."""
        if not self._gone:
            before, self._before = self._before, b""
            self._request.write(before + data)

    def _left(self, reason: Failure) -> None:
        """The client has left: what is being waited for is not needed."""
        self._gone = True
        if self._making is not None:
            self._making.cancel()

    def _failed(self, failure: Failure) -> Deferred[None] | None:
        """Say that there is no page, or why not."""
        if self._gone:
            return None
        _log.failure("An error occurred while rendering the response.", failure=failure)
        request = self._request
        if not getattr(request, "startedWriting", False):
            request.setResponseCode(INTERNAL_SERVER_ERROR)
        site = getattr(request, "site", None)
        if site is not None and site.displayTracebacks:
            return flatten(request, self._fail_element(failure), self._write)
        self._write(_APOLOGY)
        return None

    def _failed_again(self, failure: Failure) -> None:
        """There is no page of the failure either."""
        if not self._gone:
            _log.failure("An error occurred while rendering a failure.", failure=failure)
            self._write(_APOLOGY)

    def _end(self, _: Any) -> None:
        """End the response."""
        if self._gone:
            return
        if self._producing:
            self._request.unregisterProducer()
        if self._before:
            self._write(b"")
        self._request.finish()


def _holds_back(request: Any) -> bool:
    """Return whether a request is one that holds producers back."""
    from torsion.web.http.request import Request  # late: templates are made without a server, too

    return isinstance(request, Request)


def renderElement(
    request: Any,
    element: Flattenable,
    doctype: bytes | None = b"<!DOCTYPE html>",
    _failElement: Callable[[Failure], Flattenable] | None = None,
) -> int:
    """Answer a request with a page.  It is sent as it is made, no faster than the client takes it.

    What raises is logged.  The client is told that something went wrong, with the code 500 if nothing has been sent by then; and
    what it was, if the site displays tracebacks.  If the client leaves, what the page waits for is cancelled.

    :param request: the request.
    :param element: the page: an :class:`torsion.web.template.Element`, or anything else that can be flattened.
    :param doctype: what stands before it, on a line; None for nothing.
    :returns: :data:`torsion.web.server.NOT_DONE_YET`, for the renderer to return.
    """
    _Response(request, doctype, _failElement or _fail_element).begin(element)
    return NOT_DONE_YET
