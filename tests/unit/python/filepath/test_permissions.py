"""Permissions, read off a mode."""

from __future__ import annotations

import stat

from hypothesis import given
from hypothesis import strategies as st

from torsion.python.filepath import RWX, Permissions


@given(st.integers(0, 0o777))
def test_as_ls_shows_them(mode):
    made = Permissions(mode)
    assert made.shorthand() == stat.filemode(mode)[1:]
    assert made == Permissions(mode)
    assert hash(made) == hash(Permissions(mode))
    assert repr(made) == f"Permissions({made.shorthand()})"


def test_the_three():
    made = Permissions(0o750)
    assert (made.user, made.group, made.other) == (
        RWX(True, True, True),
        RWX(True, False, True),
        RWX(False, False, False),
    )
    assert made.group.read
    assert not made.group.write
    assert made.group.execute
    assert made != Permissions(0o751)
    assert made.user != 7
    assert repr(RWX(True, False, True)) == "RWX(read=True, write=False, execute=True)"
    assert len({RWX(True, False, True), RWX(True, False, True)}) == 1
