"""Names and values of queries and forms."""

from __future__ import annotations

import time
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.web.http import parse_qs
from torsion.web.http.forms import MOST_WRONG, FormError

PARTS = st.lists(
    st.sampled_from(
        [
            b"%",
            b"%41",
            b"%c3%a9",
            b"%0a",
            b"%3D",
            b"%25",
            b"=",
            b"==",
            b"%4",
            b"\r\n",
            b"\n",
            b" ",
            b"\t",
            b"_",
            b"g",
            b"4",
        ]
    )
    | st.binary(max_size=3).filter(lambda data: not set(data) & set(b"&;+")),
    max_size=12,
).map(b"".join)


@given(PARTS)
def test_escapes_are_those_of_urls(word: bytes) -> None:
    value = unquote_to_bytes(word)
    assert parse_qs(b"a=" + word, 1) == {b"a": [value]}
    if b"=" not in word:
        assert parse_qs(word + b"=1") == {value: [b"1"]}


@pytest.mark.parametrize("unit", [b"%41", b"a%41", b"%", b"=%41", b"%zz", b"%4"], ids=repr)
def test_six_megabytes_hold_nobody_up(unit: bytes) -> None:
    word = unit * (6_000_000 // len(unit))
    begun = time.process_time()
    try:
        assert parse_qs(b"a=" + word)
    except FormError:
        assert unit in (b"%zz", b"%4")
    assert time.process_time() - begun < 1.0  # it takes a tenth of that; one by one they take more


def test_so_many_percent_signs_may_stand_for_themselves() -> None:
    word = b"%z" * (MOST_WRONG - 1)
    assert parse_qs(b"a=" + word) == {b"a": [word]}
    with pytest.raises(FormError, match="escape nothing"):
        parse_qs(b"a=%z" + word)
