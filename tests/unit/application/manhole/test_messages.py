"""What goes between a client and a prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.application.manhole.messages import INTERRUPT, MessageError, checked, decode, encode, interrupts


@given(st.binary())
def test_no_bytes_hurt(line):
    try:
        checked(decode(line))
    except MessageError:
        pass


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.lists(st.floats(allow_nan=False))))
def test_what_is_encoded_is_decoded(message):
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == message


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b"9" * 10_000, b"NaN", b"[]", b'{"do": 1}', b'{"do": "sing"}', b"\xff", b""]
)
def test_hard_ones(line):
    with pytest.raises(MessageError):
        checked(decode(line))


@given(st.text())
def test_what_asks_for_an_interrupt_is_in_no_other_message(text):
    assert interrupts(encode({"do": "interrupt", "id": 1})) == 1
    assert interrupts(encode({"do": "run", "id": 1, "source": text + INTERRUPT.decode() + text})) == 0
