"""Pages as responses."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.internet.defer import Deferred
from torsion.internet.error import ConnectionDone
from torsion.logger import capturedLogs
from torsion.python.failure import Failure
from torsion.web.http import Request
from torsion.web.resource import NOT_DONE_YET
from torsion.web.template import Element, TagLoader, renderElement, tags
from torsion.web.template.flattening import BUFFER_SIZE

APOLOGY = b"An error occurred while rendering the response."


class Site:
    def __init__(self, shows: bool) -> None:
        self.displayTracebacks = shows


class Asked:
    """A request that keeps what is written."""

    def __init__(self, site: Site | None = None) -> None:
        self.site = site
        self.pieces: list[bytes] = []
        self.code = 200
        self.startedWriting = False
        self.finished = 0
        self.notified: list[Deferred[None]] = []

    def write(self, data: bytes) -> None:
        assert not self.finished
        self.startedWriting = True
        self.pieces.append(data)

    def finish(self) -> None:
        self.finished += 1
        for each in self.notified:
            each.callback(None)

    def setResponseCode(self, code: int) -> None:
        assert not self.startedWriting
        self.code = code

    def notifyFinish(self) -> Deferred[None]:
        self.notified.append(Deferred())
        return self.notified[-1]

    def leave(self) -> None:
        for each in self.notified:
            each.errback(Failure(ConnectionDone()))


class Failing(Element):
    def render(self, request: Any) -> Any:
        raise RuntimeError("example")


@pytest.mark.parametrize(
    ("doctype", "expected"),
    [({}, b"<!DOCTYPE html>\n<p>x</p>"), ({"doctype": None}, b"<p>x</p>"), ({"doctype": b"<!X>"}, b"<!X>\n<p>x</p>")],
)
def test_a_page_is_sent(doctype: Any, expected: bytes) -> None:
    request = Asked()
    assert renderElement(request, Element(TagLoader(tags.p("x"))), **doctype) is NOT_DONE_YET
    assert (request.pieces, request.finished, request.code) == ([expected], 1, 200)


def test_an_empty_page_has_its_type() -> None:
    request = Asked()
    renderElement(request, [])
    assert (request.pieces, request.finished) == ([b"<!DOCTYPE html>\n"], 1)


def test_what_is_there_is_sent_before_the_rest() -> None:
    request, later = Asked(), Deferred[Any]()
    renderElement(request, tags.p("a", later))
    assert (request.pieces, request.finished) == ([b"<!DOCTYPE html>\n<p>a"], 0)
    later.callback("b")
    assert (request.pieces[1:], request.finished) == ([b"b</p>"], 1)


@pytest.mark.parametrize("site", [None, Site(False)])
def test_a_page_that_fails_is_apologized_for(site: Site | None) -> None:
    request = Asked(site)
    with capturedLogs() as events:
        renderElement(request, Failing())
    [event] = events
    assert "example" in str(event["log_failure"].value)
    assert (request.code, request.finished) == (500, 1)
    page = b"".join(request.pieces)
    assert page.startswith(b"<!DOCTYPE html>\n<div")
    assert APOLOGY in page
    assert b"example" not in page


def test_a_page_that_fails_in_its_midst_keeps_its_code() -> None:
    request, later = Asked(), Deferred[Any]()
    renderElement(request, tags.p("a", later))
    with capturedLogs() as events:
        later.errback(RuntimeError("example"))
        later.addErrback(lambda _: None)
    assert len(events) == 1
    assert (request.code, request.finished) == (200, 1)
    assert APOLOGY in request.pieces[-1]


def test_a_site_may_show_what_went_wrong() -> None:
    request = Asked(Site(True))
    with capturedLogs():
        renderElement(request, Failing())
    page = b"".join(request.pieces)
    assert b"RuntimeError" in page
    assert b"example" in page
    assert request.finished == 1


def test_a_failure_that_cannot_be_shown_is_logged_as_well() -> None:
    request = Asked(Site(True))
    with capturedLogs() as events:
        renderElement(request, Failing(), _failElement=lambda failure: Failing())
    assert len(events) == 2
    assert APOLOGY in b"".join(request.pieces)
    assert request.finished == 1


def test_a_client_that_leaves_is_not_waited_for() -> None:
    cancelled: list[Any] = []
    request, later = Asked(), Deferred[Any](cancelled.append)
    renderElement(request, tags.p("a", later))
    with capturedLogs() as events:
        request.leave()
        later.addErrback(lambda _: None)
    assert cancelled == [later]
    assert not events
    assert (len(request.pieces), request.finished) == (1, 0)


def test_a_client_that_has_left_while_the_page_is_made() -> None:
    class Leaving(Element):
        def render(self, request: Any) -> Any:
            request.leave()
            return tags.p(Deferred())

    request = Asked()
    with capturedLogs() as events:
        renderElement(request, Leaving())
    assert (request.pieces, request.finished, events) == ([], 0, [])


class Channel:
    """A channel that can be full."""

    def __init__(self) -> None:
        self.producer: Any = None
        self.written = 0
        self.done = False
        self.transport = self

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def getPeer(self) -> None:
        return None

    getHost = getPeer

    def writeHeaders(self, *args: Any) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.written += len(data)
        if self.producer is not None:
            self.producer.pauseProducing()

    def writeSequence(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def requestDone(self, request: Any) -> None:
        self.done = True


def test_a_slow_client_holds_the_page_back() -> None:
    made: list[int] = []

    def rows() -> Any:
        for number in range(64):
            made.append(number)
            yield b"x" * BUFFER_SIZE

    channel = Channel()
    request = Request(channel)
    request.factory = None  # type: ignore[attr-defined]  # nobody logs
    renderElement(request, rows(), doctype=None)
    assert made == [0]
    for turn in range(1, 5):
        channel.producer.resumeProducing()
        assert made[-1] == turn
    while channel.producer is not None:
        channel.producer.resumeProducing()
    assert len(made) == 64
    assert channel.done
