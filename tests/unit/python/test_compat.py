"""Bridges between text and bytes."""

from __future__ import annotations

import io
import sys
import tempfile

import pytest

from torsion.python import compat


def test_native_and_network_strings():
    assert compat.nativeString(b"abc") == compat.nativeString("abc") == "abc"
    assert compat.networkString("abc") == b"abc"
    for convert, wrong, error in (
        (compat.nativeString, b"\xff", UnicodeError),
        (compat.nativeString, "\xff", UnicodeError),
        (compat.nativeString, 5, TypeError),
        (compat.networkString, "\xff", UnicodeError),
        (compat.networkString, b"abc", TypeError),
    ):
        with pytest.raises(error):
            convert(wrong)


def test_bytes():
    assert list(compat.iterbytes(b"abc")) == [b"a", b"b", b"c"]
    assert bytes(compat.lazyByteSlice(b"abcdef", 1, 3)) == b"bcd"
    assert bytes(compat.lazyByteSlice(bytearray(b"abcdef"), 4)) == b"ef"


def test_what_files_take():
    with tempfile.TemporaryFile("w") as text, tempfile.TemporaryFile() as binary:
        assert compat.ioType(text) is str
        assert compat.ioType(binary) is bytes
    assert compat.ioType(io.StringIO()) is str
    assert compat.ioType(io.BytesIO()) is bytes
    assert compat.ioType(object(), bytes) is bytes
    assert compat.ioType(type("F", (), {"encoding": "utf-8"})(), bytes) is str


def test_comparing():
    assert [compat.cmp(1, 2), compat.cmp(2, 2), compat.cmp("b", "a")] == [-1, 0, 1]

    @compat.comparable
    class Version:
        def __init__(self, number):
            self.number = number

        def __cmp__(self, other):
            return compat.cmp(self.number, other.number) if isinstance(other, Version) else NotImplemented

    one, two = Version(1), Version(2)
    assert one < two
    assert one <= Version(1)
    assert two > one
    assert two >= one
    assert one == Version(1)
    assert one != two
    assert one != 1
    with pytest.raises(TypeError):
        one < 1


def test_frames():
    def inner():
        return compat.currentframe(), compat.currentframe(1), compat.currentframe(10_000)

    frame, outer, none = inner()
    assert frame.f_code.co_name == "inner"
    assert outer is sys._getframe()
    assert none is None


def test_running_files(tmp_path):
    path = tmp_path / "it.py"
    path.write_text("y = x + 1\n")
    names, local = {"x": 1}, {}
    compat.execfile(str(path), names)
    assert names["y"] == 2
    compat.execfile(str(path), names, local)
    assert local == {"y": 2}
    path.write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError) as caught:
        compat.execfile(str(path), {})
    assert caught.traceback[-1].path == path


def test_modules_with_other_names():
    import http.cookiejar
    import urllib.parse

    assert compat.cookielib is http.cookiejar
    assert compat.urllib_parse is urllib.parse
    with pytest.raises(AttributeError, match="nothing"):
        compat.nothing
