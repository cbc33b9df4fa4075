"""Options that are kept in files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.python import usage
from torsion.python.usage import _files


def written(folder, content):
    path = folder / "options"
    path.write_bytes(content)
    return path


def test_words_are_separated_as_a_shell_does(tmp_path):
    path = written(
        tmp_path, b"\xef\xbb\xbf--port 80   # a comment\r\n\n--name 'two words' --quote \"it's\"\n# nothing\n\xc3\xa9"
    )
    assert usage.argumentsFromFile(path) == ["--port", "80", "--name", "two words", "--quote", "it's", "é"]
    assert usage.argumentsFromFile(str(path))[0] == "--port"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"--fine\n--name \xff\n", "line 2: 'utf-8' codec can't decode byte 0xff"),
        (b"--name 'open\nclosed'\n", "line 1: No closing quotation"),
        (b"a\nb\nc\0d\n", "line 3: a NUL byte"),
        (b"\xff\xfe-\x00-\x00", "line 1: 'utf-8' codec"),
    ],
)
def test_what_cannot_be_names_file_and_line(tmp_path, content, told):
    path = written(tmp_path, content)
    with pytest.raises(usage.UsageError) as caught:
        usage.argumentsFromFile(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(usage.UsageError, match=r"cannot read options from .*nothing"):
        usage.argumentsFromFile(tmp_path / "nothing")
    with pytest.raises(usage.UsageError):
        usage.argumentsFromFile(tmp_path)
    with pytest.raises(usage.UsageError):
        usage.argumentsFromFile("nul\0in the name")


def test_a_file_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "LARGEST_FILE", 10)
    assert usage.argumentsFromFile(written(tmp_path, b"x" * 10)) == ["x" * 10]
    with pytest.raises(usage.UsageError, match="more than 10 bytes"):
        usage.argumentsFromFile(written(tmp_path, b"x" * 11))


@given(st.binary(max_size=60))
def test_no_content_raises_anything_else(tmp_path_factory, content):
    path = written(tmp_path_factory.getbasetemp(), content)
    try:
        found = usage.argumentsFromFile(path)
    except usage.UsageError:
        return
    assert all(isinstance(word, str) for word in found)
