"""Names of files that clients send."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.web.http.filenames import MAX_FILENAME, cleanFilename


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\photo.jpg", "photo.jpg"),
        ("/", "upload"),
        ("", "upload"),
        ("..", "upload"),
        (".htaccess", "htaccess"),
        ("name. .", "name"),
        ("a\0b\r\nc", "abc"),
        ('a<b>:"|?*.txt', "a_b______.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("con", "_con"),
        ("COM1.txt", "_COM1.txt"),
        ("console.txt", "console.txt"),
        ("e\u0301.txt", "\xe9.txt"),
        ("\N{SNOWMAN}.txt", "\N{SNOWMAN}.txt"),
        ("x" * 300 + ".html", "x" * 195 + ".html"),
        ("\N{SNOWMAN}" * 100, "\N{SNOWMAN}" * 66),
        ("\ud800x", "x"),
    ],
)
def test_what_becomes_of_a_name(sent: str, expected: str) -> None:
    assert cleanFilename(sent) == expected


@given(st.text())
def test_law_a_name_names_a_file_in_its_folder(sent: str) -> None:
    name = cleanFilename(sent)
    assert name
    assert os.path.basename(name) == name
    assert not name.startswith(".")
    assert not name.endswith((".", " "))
    assert len(name.encode()) <= MAX_FILENAME
    assert not any(unicodedata.category(each)[0] == "C" for each in name)
    assert cleanFilename(name) == name


def test_such_a_file_can_be_made(tmp_path: Path) -> None:
    for sent in ("../\N{SNOWMAN}\0:*", "\ud800", "x" * 9999):
        (tmp_path / cleanFilename(sent)).write_text("")
    assert len(list(tmp_path.iterdir())) == 3
