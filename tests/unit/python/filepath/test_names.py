"""Names that Windows takes for something else; checked everywhere."""

from __future__ import annotations

import pytest

from torsion.python.filepath import InsecurePath
from torsion.python.filepath._names import check_for_windows, is_beneath


@pytest.mark.parametrize(
    "name",
    [
        "C:",
        "C:file",
        "C:\\file",
        "file:stream",
        "CON",
        "con.txt",
        "aux .c",
        "LPT1",
        "COM¹",
        "sub\\NUL",
        "\\\\server\\share",
        "\\file",
    ],
)
def test_drives_streams_and_devices(name):
    with pytest.raises(InsecurePath):
        check_for_windows(name)


@pytest.mark.parametrize("name", ["console", "file.con", "COM0", "COM10", "a", "..."])
def test_names_like_any_other(name):
    check_for_windows(name)


def test_beneath():
    assert is_beneath("/a", "/a")
    assert is_beneath("/a/b", "/a")
    assert not is_beneath("/ab", "/a")
    assert not is_beneath("/", "/a")
    assert is_beneath(b"/a", b"/")
