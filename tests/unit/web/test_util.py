"""Redirections, resources that come later, failures as pages."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.internet.defer import Deferred, fail, succeed
from torsion.python.failure import Failure
from torsion.web.error import FlattenerError
from torsion.web.resource import Resource
from torsion.web.util import DeferredResource, FailureElement, ParentRedirect, Redirect, formatFailure, redirectTo
from unit.web.talk import Asked, Fixed, Talk


def test_a_redirection() -> None:
    answer = Talk(Redirect(b"https://example.com/?a=1&b=2")).ask("/any/where", method="POST")
    assert (answer.code, answer.one("location")) == (302, "https://example.com/?a=1&b=2")
    assert answer.one("content-type") == "text/html; charset=utf-8"
    assert b'href="https://example.com/?a=1&amp;b=2"' in answer.body
    redirect = Redirect(b"/x")
    assert redirect.getChild(b"y", None) is redirect


def test_a_redirection_cannot_add_a_header() -> None:
    answer = Talk(Redirect(b"/x\r\nSet-Cookie: a=b")).ask()
    assert "set-cookie" not in answer.headers
    assert answer.one("location") == "/x Set-Cookie: a=b"


def test_its_page_is_escaped() -> None:
    assert b"<script>" not in Talk(Redirect(b'/"><script>\xff')).ask().body


def test_where_to_is_bytes() -> None:
    with pytest.raises(TypeError, match="must be bytes"):
        redirectTo("/x", Asked())


@pytest.mark.parametrize(
    ("target", "location"),
    [("/", "/"), ("/?a=b", "/"), ("/foo", "/"), ("/foo/", "/foo/"), ("/foo/bar?a=b", "/foo/"), ("/a%2Fb/c", "/a%2Fb/")],
)
def test_to_the_folder(target: str, location: str) -> None:
    class Everywhere(Resource):
        def getChild(self, path: bytes, request: Any) -> Resource:
            return Everywhere() if request.postpath else ParentRedirect()

    answer = Talk(Everywhere()).ask(target)
    assert (answer.code, answer.one("location")) == (302, "http://example.com" + location)


def test_a_resource_that_comes_later() -> None:
    later: Deferred[Any] = Deferred()
    root = Resource()
    root.putChild(b"a", DeferredResource(later))
    talk = Talk(root)
    talk.send("/a/b/c")
    assert talk.written() == b""
    found, below = Resource(), Fixed(lambda request: repr(request.postpath).encode())
    found.putChild(b"b", below)
    later.callback(found)
    assert talk.answer().body == b"[b'c']"


def test_a_resource_that_is_there() -> None:
    assert Talk(DeferredResource(succeed(Fixed(b"x")))).ask().body == b"x"


def test_a_resource_that_never_comes(flush_errors: Any) -> None:
    assert Talk(DeferredResource(fail(KeyError()))).ask().code == 500
    flush_errors(KeyError)


def failure() -> Failure:
    try:
        raise ValueError("<script> \N{SNOWMAN}")
    except ValueError:
        return Failure()


def test_a_failure_as_a_page() -> None:
    page = formatFailure(failure())
    assert page.isascii()
    assert b"builtins.ValueError" in page
    assert b"&lt;script&gt; &#9731;" in page
    assert b"<script" not in page
    assert b'raise ValueError("&lt;script&gt;' in page, "the line of source"
    assert b"&#160;" in page, "its indentation"
    assert page.count(b'class="snippetHighlightLine"') == 1
    assert page.count(b'class="snippetLine"') == 2


def test_a_failure_whose_error_cannot_be_said() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise KeyError

    assert b"Mute" in formatFailure(Failure(Mute()))


def test_a_failure_without_source() -> None:
    code = compile("def f():\n    raise KeyError\n", "<made>", "exec")
    names: dict[str, Any] = {}
    exec(code, names)
    try:
        names["f"]()
    except KeyError:
        assert b"&lt;made&gt;" in formatFailure(Failure())


def test_what_is_no_failure() -> None:
    with pytest.raises(FlattenerError):
        formatFailure(object())


def test_a_template_of_ones_own() -> None:
    from torsion.web.template import TagLoader, flattenString, tags

    made: list[bytes] = []
    element = FailureElement(failure(), TagLoader(tags.p(render="type")))
    flattenString(None, element).addCallback(made.append)
    assert made == [b"<p>builtins.ValueError</p>"]
