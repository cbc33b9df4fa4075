"""What is seen of frames before h2 has them, wherever the bytes are cut."""

from __future__ import annotations

import pytest

from torsion.internet.task import Clock
from torsion.web.multiplex import Frames, Toll, TooMuchError, WrongFrameError
from torsion.web.multiplex.frames import LONGEST

DATA, HEADERS, SETTINGS, PUSH_PROMISE, PING, GOAWAY, CONTINUATION = 0, 1, 4, 5, 6, 7, 9
GREETING = bytes((0, 0, 0, SETTINGS, 0, 0, 0, 0, 0))


def frame(kind: int, payload: bytes = b"", stream: int = 0, flags: int = 0) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def frames(preface: int = 0) -> Frames:
    return Frames(Toll(Clock().seconds), preface)


def farewell(last: int, code: int, said: bytes = b"") -> bytes:
    return frame(GOAWAY, last.to_bytes(4, "big") + code.to_bytes(4, "big") + said)


@pytest.mark.parametrize("step", [1, 2, 7, 9, 10, 1000])
@pytest.mark.parametrize("preface", [0, 24])
def test_farewells_are_taken_out(step: int, preface: int) -> None:
    others = frame(PING, b"12345678") + frame(DATA, b"x" * 30, 1)
    data = bytes(preface) + GREETING + others + farewell(5, 2, b"bye") + others + farewell(3, 0)
    looks, passed = frames(preface), b""
    for start in range(0, len(data), step):
        passed += looks.look(data[start : start + step])
    assert passed == bytes(preface) + GREETING + others + others
    assert looks.farewells == [(5, 2, b"bye"), (3, 0, b"")]


def test_a_frame_of_data_that_is_coming_in() -> None:
    looks = frames()
    data = frame(DATA, b"x" * 100, 7)
    assert looks.partly == (0, 0)
    looks.look(GREETING + data[:9])
    assert looks.partly == (7, 0)
    looks.look(data[9:50])
    assert looks.partly == (7, 41)
    looks.look(data[50:])
    assert looks.partly == (0, 0)
    looks.look(frame(PING, b"12345678")[:12])
    assert looks.partly == (0, 0)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(frame(PING, b"12345678"), id="settings do not come first"),
        pytest.param(GREETING + frame(SETTINGS, b"123456", flags=1), id="an acknowledgement that is not empty"),
        pytest.param(GREETING + frame(PUSH_PROMISE, b"", 1), id="a push"),
        pytest.param(GREETING + (LONGEST + 1).to_bytes(3, "big") + bytes(6), id="a frame that is too long"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
    ],
)
def test_what_is_wrong_at_once(sent: bytes) -> None:
    with pytest.raises(WrongFrameError):
        frames().look(sent)


def test_a_block_of_headers_without_end() -> None:
    looks = frames()
    looks.look(GREETING + frame(HEADERS, bytes(LONGEST), 1))
    assert looks.in_block
    for _ in range(3):
        looks.look(frame(CONTINUATION, bytes(LONGEST), 1))
    with pytest.raises(TooMuchError, match="headers"):
        looks.look(frame(CONTINUATION, b"x", 1))
