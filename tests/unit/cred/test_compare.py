"""Secrets are equal or not."""

from __future__ import annotations

import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.cred import compare

secrets = st.binary(max_size=4) | st.text(max_size=4) | st.none() | st.integers(0, 1)


@given(secrets, secrets)
def test_the_answer_is_python_s(one: Any, other: Any) -> None:
    assert compare.same(one, other) is (one == other)
    assert compare.same(one, one)


def test_text_that_is_no_unicode_and_bytes_that_are_no_ascii() -> None:
    assert compare.same("\ud800é", "\ud800é")
    assert not compare.same("\ud800", "\ud801")
    assert not compare.same("é", "é".encode())


@pytest.mark.parametrize("pair", [("a", "b"), (b"a", b"b")])
def test_it_takes_the_comparison_that_tells_nothing_by_its_time(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(hmac, "compare_digest", lambda *pair: bool(asked.append(pair)))
    compare.same(*pair)
    assert asked == [(b"a", b"b")]
