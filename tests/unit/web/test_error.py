"""What the web's errors say."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from torsion.web import error


@pytest.mark.parametrize(
    ("args", "status", "message", "text"),
    [
        ((404,), b"404", b"Not Found", "404 Not Found"),
        ((b"404",), b"404", b"Not Found", "404 Not Found"),
        ((599,), b"599", None, "599"),
        ((404, b"Gone"), b"404", b"Gone", "404 Gone"),
        ((404, b"\xff"), b"404", b"\xff", "404 \\xff"),
    ],
)
def test_a_code(args: Any, status: bytes, message: bytes | None, text: str) -> None:
    made = error.Error(*args)
    assert (made.status, made.message, made.response, str(made)) == (status, message, None, text)


def test_what_is_no_code() -> None:
    with pytest.raises(ValueError, match="no status code"):
        error.Error(b"found")


@pytest.mark.parametrize("kind", [error.PageRedirect, error.InfiniteRedirection])
def test_redirections(kind: Any) -> None:
    made = kind(302, None, b"body", b"/there")
    assert (str(made), made.location, made.response) == ("302 Found to /there", b"/there", b"body")
    assert str(kind(302)) == "302 Found"
    assert str(kind(599, location=b"/there")) == "599"


def test_a_redirection_to_nowhere() -> None:
    made = error.RedirectWithNoLocation(302, b"Found", b"/asked")
    assert (str(made), made.uri) == ("302 Found to /asked", b"/asked")


def test_methods() -> None:
    assert str(error.UnsupportedMethod([b"GET"])) == "Expected one of [b'GET']"
    assert error.UnsupportedMethod((b"GET",), "more").allowedMethods == (b"GET",)


@pytest.mark.parametrize("wrong", [b"GET", "GET", 5, None])
def test_methods_are_a_sequence(wrong: Any) -> None:
    with pytest.raises(TypeError, match="list of the methods"):
        error.UnsupportedMethod(wrong)


def test_templates() -> None:
    assert repr(error.MissingRenderMethod("element", "name")) == (
        "'MissingRenderMethod': 'element' had no render method named 'name'"
    )
    assert repr(error.MissingTemplateLoader("element")) == "'MissingTemplateLoader': 'element' had no loader"


class Tag:
    def __init__(self, filename: str | None) -> None:
        self.tagName, self.filename, self.lineNumber, self.columnNumber = "p", filename, 3, 4


def test_where_a_template_failed() -> None:
    try:
        raise RuntimeError("oh")
    except RuntimeError as raised:
        made = error.FlattenerError(
            raised, ["short", b"x" * 41, Tag(None), Tag("page.xml"), 5], traceback.extract_tb(raised.__traceback__)
        )
    lines = str(made).splitlines()
    assert lines[:6] == [
        "Exception while flattening:",
        "  'short'",
        f"  b'{'x' * 20}<...>{'x' * 20}'",
        "  Tag <p>",
        '  File "page.xml", line 3, column 4, in "p"',
        "  5",
    ]
    assert lines[-1] == "RuntimeError: oh"
    assert any("test_where_a_template_failed" in line for line in lines)
