"""How endpoint descriptions are written, and how errors point into them."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.endpoints import EndpointDescriptionError, quoteStringArgument
from torsion.internet.endpoints.grammar import join, split, text_of


def taken_apart(description):
    parts = split(description)
    return [part.value for part in parts if part.name is None], {part.name: part.value for part in parts if part.name}


@pytest.mark.parametrize(
    ("description", "values", "named"),
    [
        ("", [""], {}),
        ("tcp", ["tcp"], {}),
        ("tcp:80", ["tcp", "80"], {}),
        (":", ["", ""], {}),
        ("unix:a=b=c:d\\:e\\=f:\\\\", ["unix", "d:e=f", "\\"], {"a": "b=c"}),
        ("unix:a\\=b=c", ["unix"], {"a=b": "c"}),
        ("unix:\\a\\b", ["unix", "ab"], {}),
        ("unix:path=", ["unix"], {"path": ""}),
    ],
)
def test_split(description, values, named):
    assert taken_apart(description) == (values, named)


def test_places():
    [_, second, third] = split("unix:a\\:b:mode=600")
    assert (second.start, second.end) == (5, 9)
    assert (third.start, third.end) == (10, 18)


LETTERS = st.text(alphabet=":=\\ab", max_size=8)


@given(LETTERS.filter(bool), st.lists(LETTERS), st.dictionaries(LETTERS.filter(bool), LETTERS))
def test_what_is_joined_comes_apart_again(kind, values, named):
    assert taken_apart(join([kind, *values], named)) == ([kind, *values], named)


@given(st.text())
def test_a_quoted_argument_is_one(argument):
    assert taken_apart(f"unix:path={quoteStringArgument(argument)}") == (["unix"], {"path": argument})


@given(st.text(), st.lists(st.text(alphabet=":=\\a\n\x7f", max_size=12)))
def test_every_error_shows_its_place(text, words):
    description = text.join(words)
    found = []
    try:
        assert split(description)[-1].end == len(description)
    except EndpointDescriptionError as error:
        found.append(error)
    for error in found:
        assert error.description == description
        assert repr(description) in str(error)
        assert "^" in str(error)


@pytest.mark.parametrize(
    ("description", "lines"),
    [
        ("tcp:80:port=1:port=2", ["gives 'port' twice", "    tcp:80:port=1:port=2", "                  ^^^^^^"]),
        ("tcp:80\\", ["ends in a backslash", "    tcp:80\\", "          ^"]),
        ("a\n\x7f:b=1:b=2", ["gives 'b' twice", "    a\\n\\x7f:b=1:b=2", "                ^^^"]),
    ],
)
def test_errors_point(description, lines):
    with pytest.raises(EndpointDescriptionError) as caught:
        split(description)
    first, second, third = str(caught.value).split("\n")
    assert repr(description) in first
    assert lines[0] in first
    assert [second, third] == lines[1:]


def test_error():
    error = EndpointDescriptionError("tcp:80", "is bad", 4)
    assert isinstance(error, ValueError)
    assert (error.description, error.problem, error.start, error.end) == ("tcp:80", "is bad", 4, 6)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.start) == (type(error), str(error), 4)
    assert str(EndpointDescriptionError("", "is bad")).endswith("\n    \n    ^")


def test_text():
    assert text_of("tcp") == text_of(b"tcp") == "tcp"
    assert text_of("ü".encode()) == "ü"
    with pytest.raises(ValueError, match="utf-8"):
        text_of(b"\xff")
    with pytest.raises(TypeError, match="is a str"):
        text_of(None)
