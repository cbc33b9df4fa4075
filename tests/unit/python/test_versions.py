"""Version numbers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.python.versions import IncomparableVersions, Version, getVersionString

ORDERED = [
    Version("p", 1, 2, 3, dev=1),
    Version("p", 1, 2, 3, release_candidate=1, dev=1),
    Version("p", 1, 2, 3, release_candidate=1),
    Version("p", 1, 2, 3, release_candidate=2),
    Version("p", 1, 2, 3),
    Version("p", 1, 2, 3, post=1, dev=1),
    Version("p", 1, 2, 3, post=1),
    Version("p", 1, 2, 4),
    Version("p", 1, 10, 0),
    Version("p", 2, 0, 0),
    Version("p", "NEXT", 0, 0),
]


def test_order() -> None:
    assert sorted([*ORDERED[5:], *ORDERED[:5]]) == ORDERED
    for earlier, later in pairwise(ORDERED):
        assert earlier < later
        assert earlier <= later
        assert later > earlier
        assert later >= earlier
        assert earlier != later


numbers = st.integers(0, 3)
maybe = st.none() | numbers
versions = st.builds(Version, st.just("p"), numbers, numbers, numbers, maybe, st.none(), maybe, maybe)


@given(versions, versions)
def test_equal_ones_hash_and_read_alike(one: Version, other: Version) -> None:
    assert (one == other) == (one.public() == other.public())
    if one == other:
        assert hash(one) == hash(other)
    assert (one < other) == (other > one)
    assert (one <= other) == (not other < one)


@pytest.mark.parametrize(
    ("version", "text"),
    [
        (Version("p", 1, 2, 3), "1.2.3"),
        (Version("p", 1, 2, 3, 4), "1.2.3rc4"),
        (Version("p", 1, 2, 3, prerelease=4), "1.2.3rc4"),
        (Version("p", 1, 2, 3, post=5, dev=6), "1.2.3.post5.dev6"),
        (Version("p", "NEXT", 0, 0), "NEXT"),
    ],
)
def test_text(version: Version, text: str) -> None:
    assert version.public() == version.base() == version.short() == version.local() == text
    assert str(version) == f"[p, version {text}]"
    assert getVersionString(version) == f"p {text}"
    assert eval(repr(version)) == version


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="not both"):
        Version("p", 1, 0, 0, release_candidate=1, prerelease=1)
    with pytest.raises(ValueError, match="NEXT"):
        Version("p", "SOON", 0, 0)
    assert Version("p", 1, 0, 0, prerelease=3).prerelease == 3


def test_packages_do_not_mix() -> None:
    with pytest.raises(IncomparableVersions, match="'p' and 'q'"):
        Version("p", 1, 0, 0) < Version("q", 1, 0, 0)
    assert Version("P", 1, 0, 0) == Version("p", 1, 0, 0)
    assert Version("p", 1, 0, 0) != "p"
    with pytest.raises(TypeError):
        Version("p", 1, 0, 0) < 3
