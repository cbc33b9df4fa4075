"""Pages as responses of a site."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.internet.defer import Deferred
from torsion.logger import capturedLogs
from torsion.web.template import Element, XMLString, renderElement, renderer, tags
from unit.web.talk import Fixed, Talk


class Page(Element):
    loader = XMLString(
        '<p xmlns:t="http://twistedmatrix.com/ns/twisted.web.template/0.1">Hello, <b t:render="name"/></p>'
    )

    def __init__(self, name: Any) -> None:
        super().__init__()
        self._name = name

    @renderer
    async def name(self, request: Any, tag: Any) -> Any:
        return tag(self._name)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_page_is_a_response(method: str) -> None:
    answer = Talk(Fixed(lambda request: renderElement(request, Page("<you>")))).ask(method=method)
    assert (answer.code, answer.one("Content-Type")) == (200, "text/html")
    assert answer.body == (b"" if method == "HEAD" else b"<!DOCTYPE html>\n<p>Hello, <b>&lt;you&gt;</b></p>")


def test_a_page_is_streamed() -> None:
    later: Deferred[str] = Deferred()
    talk = Talk(Fixed(lambda request: renderElement(request, Page(later))))
    talk.send()
    assert b"<p>Hello, " in talk.written()
    assert b"</p>" not in talk.written()
    later.callback("you")
    assert talk.answer().body == b"<!DOCTYPE html>\n<p>Hello, <b>you</b></p>"


@pytest.mark.parametrize("shown", [False, True])
def test_a_page_that_fails(shown: bool) -> None:
    talk = Talk(Fixed(lambda request: renderElement(request, Page(object()))))
    talk.site.displayTracebacks = shown
    with capturedLogs() as events:
        answer = talk.ask()
    assert [event["log_failure"].type.__name__ for event in events if "log_failure" in event] == ["FlattenerError"]
    assert answer.complete
    assert (b"UnsupportedType" in answer.body) == shown


def test_a_client_that_leaves() -> None:
    cancelled: list[Any] = []
    later: Deferred[Any] = Deferred(cancelled.append)
    talk = Talk(Fixed(lambda request: renderElement(request, tags.p("a", later))))
    talk.send()
    with capturedLogs() as events:
        talk.leave()
    assert cancelled == [later]
    assert [event for event in events if "log_failure" in event] == []
