"""Lines and quoted words."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.python import text


@given(st.text(alphabet="ab \n", max_size=60), st.integers(1, 12))
def test_wrapping_keeps_words_and_width(content, width):
    lines = text.greedyWrap(content, width)
    assert [word for line in lines for word in line.split()] == content.split()
    assert all(len(line) <= width or " " not in line for line in lines)


def test_paragraphs():
    assert text.wordWrap("et\n\nphone\nhome.", 72) == ["et", "", "phone home.", ""]
    assert text.greedyWrap("") == []


def test_blank_lines():
    assert text.removeLeadingBlanks(["", " \t", "a", "", "b", ""]) == ["a", "", "b", ""]
    assert text.removeLeadingBlanks(["", " "]) == []
    assert text.removeLeadingTrailingBlanks("\n\n a\n\nb\n\n") == " a\n\nb\n"
    assert text.isMultiline("a\nb")
    assert not text.isMultiline("a")
    assert text.endsInNewline("a\n")
    assert not text.endsInNewline("a")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('This "works."', ["This", "works."]),
        ("The \"hairy monkey\" likes 'two  pies'.", ["The", "hairy monkey", "likes", "'two", "pies'."]),
        ("a 'b  c' ''", ["a", "b  c", ""]),
        ('a "b', ["a", '"b']),
        ('a"b c"d', ['a"b', 'c"d']),
        ("", []),
    ],
)
def test_quoted_words(line, words):
    assert text.splitQuoted(line) == words


@given(st.text(alphabet="abA", min_size=1, max_size=4), st.text(alphabet="abA", max_size=30), st.booleans())
def test_text_in_files(wanted, content, sensitive):
    class Slow(io.StringIO):
        def read(self, size=-1):
            return super().read(3)

    found = wanted in content if sensitive else wanted.lower() in content.lower()
    assert text.strFile(wanted, Slow(content), sensitive) == found


@pytest.mark.parametrize(
    ("thing", "shown"),
    [
        (("a", "b"), "(a,\n b,)\n"),
        (["a", "b"], "[a,\n b,]\n"),
        ({"a": 0}, "{a: 0}"),
        ({"a": 1, "b": 2}, "{a: 1\n b: 2}\n"),
        ({"a": [1, 2]}, "{a:\n   [1,\n    2,]}\n"),
        ([[1], [2]], "[[1,],\n [2,],]\n"),
        ([], "[]"),
        (5, "5"),
        ("x\ny", "x\ny\n"),
    ],
)
def test_objects_for_people(thing, shown):
    assert text.stringyString(thing) == shown
