"""What holds whatever a peer sends: nothing is raised, and how the bytes are cut makes no difference."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("wsproto")
from hypothesis import given, settings
from hypothesis import strategies as st

from torsion.web.websocket.deflate import NAME, accept, offer, settle
from unit.web.websocket.ends import End, Frame

FRAMES = st.builds(
    Frame,
    opcode=st.sampled_from([0, 0, 1, 1, 2, 8, 9, 10, 3]),
    payload=st.one_of(
        st.binary(max_size=40), st.text(max_size=20).map(str.encode), st.binary(min_size=120, max_size=140)
    ),
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 4, 1]),
)


def end(client: bool, compressed: bool) -> End:
    extension: Any = None
    if compressed and client:
        extension, _ = offer()
        settle(extension, [NAME.encode()])
    elif compressed:
        extension, _ = accept([NAME.encode()]) or pytest.fail("it is not taken")
    return End(client, extension=extension)


def outcome(made: End) -> tuple[Any, ...]:
    broken, closed = made.connection._broken, made.connection._closed
    return made.heard, broken and broken.code, closed and (closed.code, closed.reason)


def said(frames: list[Frame]) -> list[Any]:
    """Return what frames say, but for the words of the last: those name a place in what was read at once."""
    return [(frame.opcode, frame.payload[:2] if frame.opcode == 8 else frame.payload) for frame in frames]


@settings(max_examples=100, deadline=None)
@given(st.lists(FRAMES, max_size=6), st.binary(max_size=20), st.booleans(), st.booleans(), st.integers(1, 7))
def test_how_bytes_are_cut_makes_no_difference(
    frames: list[Frame], rest: bytes, client: bool, compressed: bool, step: int
) -> None:
    data = b"".join(frame.encode(not client) for frame in frames) + rest
    whole, cut = end(client, compressed), end(client, compressed)
    assert said(whole.take(data)) == said(cut.take(data, step))
    assert outcome(whole) == outcome(cut)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.booleans(), st.booleans())
def test_any_bytes_are_taken(data: bytes, client: bool, compressed: bool) -> None:
    made = end(client, compressed)
    made.take(data)
    made.clock.advance(100)
