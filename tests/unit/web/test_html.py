"""The pieces of HTML that Twisted once had."""

from __future__ import annotations

import pytest

from torsion.web import html


def fails() -> str:
    raise KeyError("<x>")


@pytest.mark.parametrize(
    ("function", "args", "made"),
    [
        (html.PRE, ("<a>",), "<pre>&lt;a&gt;</pre>"),
        (html.UL, (["a", "<b>b</b>"],), "<ul><li>a</li>\n<li><b>b</b></li>\n</ul>"),
        (html.linkList, ([('/a"', "A")],), '<ul><li><a href="/a&quot;">A</a></li>\n</ul>'),
        (html.output, (lambda: "<p>",), "<p>"),
    ],
)
def test_they_are_as_they_were(function: object, args: tuple[object, ...], made: str) -> None:
    with pytest.warns(DeprecationWarning, match=r"torsion\.web\.template"):
        assert function(*args) == made


def test_what_fails_is_shown() -> None:
    with pytest.warns(DeprecationWarning, match=r"torsion\.web\.template"):
        shown = html.output(fails)
    assert shown.startswith("<pre>Traceback")
    assert "&lt;x&gt;" in shown
