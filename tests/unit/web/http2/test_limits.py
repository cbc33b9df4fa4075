"""What a client can have of us, and what it cannot: each limit of ``torsion.web.http2.limits``, by what it is for."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("h2")

from torsion.logger import capturedLogs
from torsion.web.http2 import limits
from torsion.web.resource import Resource
from torsion.web.server import NOT_DONE_YET
from unit.web.http2.raw import (
    ACK,
    CALM,
    CANCEL,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    Raw,
    asking,
    block,
    frame,
    get,
    outcome,
    post,
    reset,
    settings,
    window,
)

CALMED = f"goaway {CALM}"
PINGED = frame(PING, 0, 0, b"12345678")


class Work(Resource):
    """Counts what is asked; answers at once, with much, or later."""

    isLeaf = True
    size = 1_000_000

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []
        self.lost = 0

    def _lost(self, reason: Any) -> None:
        self.lost += 1

    def render_GET(self, request: Any) -> Any:
        self.requests.append(request)
        if request.path == b"/later":
            request.notifyFinish().addErrback(self._lost)
            return NOT_DONE_YET
        return bytes(self.size) if request.path == b"/much" else b"."

    def render_POST(self, request: Any) -> bytes:
        return b"%d" % len(request.content.read())


# --- floods ----------------------------------------------------------------------------------------------------------


def test_rapid_reset() -> None:
    work = Work()
    raw = Raw(work)
    numbers = iter(range(1, 100_000, 2))
    for _ in range(limits.RESETS):
        number = next(numbers)
        raw.send(get(number, path=b"/later"), reset(number))
    assert not raw.closed
    assert work.lost == limits.RESETS
    number = next(numbers)
    assert outcome(raw, raw.send(get(number, path=b"/later"), reset(number))) == CALMED


def test_requests_that_are_taken_back_in_the_same_breath_are_not_begun() -> None:
    work = Work()
    raw = Raw(work)
    raw.send(b"".join(get(number) + reset(number) for number in range(1, 101, 2)) + get(101))
    assert [request.channel for request in work.requests] == [None]
    assert raw.ended == {101}


def test_resets_of_who_lets_as_many_be_answered_are_no_attack() -> None:
    raw = Raw(Work())
    for number in range(1, 5 * limits.RESETS, 4):
        raw.send(get(number), get(number + 2, path=b"/later"), reset(number + 2))
    assert not raw.closed


def test_resets_are_forgotten() -> None:
    raw = Raw(Work())
    for number in range(1, 3 * limits.RESETS, 2):
        raw.send(get(number, path=b"/later"), reset(number))
        raw.clock.advance(limits.PERIOD / limits.RESETS * 1.2)
    assert not raw.closed


def test_made_you_reset() -> None:
    """CVE-2025-8671: it is we who break off, since the client breaks a rule for this one stream."""
    work = Work()
    raw = Raw(work)
    found: list[Any] = []
    for number in range(1, 3 * limits.RESETS, 2):
        found += raw.send(get(number, path=b"/later"), window(number, 2**31 - 1))
        if raw.closed:
            break
    assert outcome(raw, found) == CALMED
    assert len(work.requests) == limits.RESETS + 1


FLOODS = {
    "pings": PINGED,
    "answers to pings": frame(PING, ACK, 0, b"12345678"),
    "settings": settings((0x3, 100)),
    "empty settings": settings(),
    "priorities": frame(PRIORITY, 0, 5, bytes(5)),
    "unknown frames": frame(0x99, 0, 0, b"x"),
    "updates of priorities": frame(0x10, 0, 0, b"\0\0\0\1u=1"),
    "windows": window(0, 1),
    "empty data": frame(DATA, 0, 1),
    "padding": frame(DATA, PADDED, 1, b"\0"),
    "resets of a closed stream": reset(3),
    "farewells": frame(7, 0, 0, bytes(8)),
}


@pytest.mark.parametrize("sent", FLOODS.values(), ids=FLOODS)
def test_floods(sent: bytes) -> None:
    raw = Raw(Work())
    raw.send(post(1), get(3))
    found = raw.send(sent * (limits.CONTROL - 10))
    assert not raw.closed
    raw.take()
    found = raw.send(sent * 11, sent * 10)
    assert raw.closed
    assert outcome(raw, found).startswith("goaway")


def test_data_for_a_stream_that_was_broken_off_is_a_flood_too() -> None:
    raw = Raw(Work())
    raw.send(post(1), reset(1))
    found: list[Any] = []
    for _ in range(limits.CONTROL + 1):
        found += raw.send(frame(DATA, 0, 1, b"x"))
    assert outcome(raw, found) == CALMED


def test_who_asks_much_may_say_much() -> None:
    raw = Raw(Work())
    for number in range(1, 2 * limits.CONTROL, 2):
        raw.send(get(number), PINGED, window(0, 1), frame(PRIORITY, 0, number, bytes(5)))
    assert not raw.closed


# --- headers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [b"", b"\x00\x01x\x01y" * 2000])
def test_a_block_of_headers_without_end(piece: bytes) -> None:
    """CVE-2024-27316."""
    raw = Raw(Work())
    found = raw.send(frame(HEADERS, END_STREAM, 1, asking()))
    count = 0
    while not raw.closed:
        found = raw.send(frame(CONTINUATION, 0, 1, piece))
        count += 1
    assert outcome(raw, found).startswith("goaway")
    assert (count - 1) * len(piece) <= limits.HEADERS
    assert count <= 64


def test_a_block_of_headers_that_takes_its_time() -> None:
    raw = Raw(Work())
    whole = get(1)
    raw.send(whole[:20])
    raw.clock.advance(raw.channel.headerTimeout - 1)
    raw.send(whole[20:30])
    assert not raw.closed
    raw.clock.advance(1)
    assert outcome(raw, raw.take()) == CALMED
    raw = Raw(Work())
    raw.send(whole[:20], whole[20:])
    raw.clock.advance(raw.channel.headerTimeout)
    assert not raw.closed


def test_headers_that_unpack_to_more_than_there_may_be() -> None:
    work = Work()
    raw = Raw(work)
    bomb = asking() + b"\x40" + block([(b"x", b"y" * 4000)])[1:] + b"\xbe" * 1000  # one byte each
    assert outcome(raw, raw.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, bomb))) == CALMED
    assert work.requests == []


def test_what_we_remember_of_our_headers() -> None:
    raw = Raw(Work())
    raw.decoder.max_allowed_table_size = 2**32 - 1
    raw.send(settings((0x1, 2**32 - 1)), get(1))
    assert raw.status(1) == b"200"
    assert raw.connection._h2.encoder.header_table_size == limits.TABLE


# --- windows, and answers that nobody takes --------------------------------------------------------------------------


def test_windows_that_we_open() -> None:
    raw = Raw(Work(), greet=False)
    found = raw.send(PREFACE + settings())
    said = {key: value for each in found for key, value in getattr(each, "settings", {}).items()}
    assert (said[3], said[4], said[6]) == (limits.STREAMS, limits.WINDOW, limits.HEADERS)
    assert sum(getattr(each, "window_increment", 0) for each in found) == limits.WINDOW_OF_ALL - 65535


def test_windows_are_given_back_as_bodies_are_stored() -> None:
    raw = Raw(Work())
    raw.send(post(1))
    given = {0: 0, 1: 0}
    for _ in range(100):
        for each in raw.send(frame(DATA, 0, 1, bytes(16_384))):
            given[each.stream_id] += each.window_increment
    assert all(100 * 16_384 - size <= limits.GRANT for size in given.values())
    raw.send(frame(DATA, END_STREAM, 1))
    assert raw.bodies[1] == b"1638400"


def test_a_body_that_is_taken_back_in_the_same_breath() -> None:
    """h2 has forgotten the request by the time that its bytes are given back, which is no error to be logged."""
    raw = Raw(Work())
    raw.send(post(1))
    part = frame(DATA, 0, 1, bytes(16_384))
    with capturedLogs() as events:
        found = raw.send(part * 3 + reset(1) + get(3) + get(5))
    assert not any("log_failure" in each for each in events)
    assert (raw.status(1), raw.status(3), raw.status(5)) == (None, b"200", b"200")
    assert sum(each.window_increment for each in found if type(each).__name__ == "WindowUpdateFrame") >= limits.GRANT
    assert not raw.closed


def test_one_byte_at_a_time_is_too_slow() -> None:
    raw = Raw(Work())
    raw.send(settings((0x4, 0)), get(1, path=b"/much"))
    found: list[Any] = []
    for _ in range(70):
        found += raw.send(window(1, 1))
        raw.clock.advance(1)
        found += raw.take()
    assert outcome(raw, found) == f"reset 1 {CANCEL}"
    assert 0 < len(raw.bodies[1]) <= 61


def test_who_takes_a_step_in_its_time_may_go_on() -> None:
    raw = Raw(Work())
    raw.send(settings((0x4, 0)), get(1, path=b"/much"))
    for _ in range(10):
        raw.send(window(1, limits.STEP))
        raw.clock.advance(59)
    assert len(raw.bodies[1]) == 10 * limits.STEP
    assert outcome(raw, raw.take()) == "nothing"


def test_an_answer_that_comes_late_has_all_its_time() -> None:
    work = Work()
    raw = Raw(work)
    raw.send(settings((0x4, 0)), get(1, path=b"/later"))
    raw.clock.pump([50] * 10)
    work.requests[0].write(b"at last")
    raw.clock.advance(59)
    raw.send(window(1, 100))
    assert raw.bodies[1] == b"at last"


def test_so_much_is_kept_and_then_further_requests_wait() -> None:
    work = Work()
    raw = Raw(work)
    raw.send(settings((0x4, 0)))
    raw.send(*(get(number, path=b"/much") for number in range(1, 61, 2)))
    begun = len(work.requests)
    assert begun == limits.KEPT_IN_ALL // work.size + 1
    raw.send(post(61), frame(DATA, END_STREAM, 61, b"abc"), get(63), reset(63))
    assert raw.ended == set()
    raw.send(window(0, 2**30), window(1, work.size))  # one is taken
    raw.clock.advance(0)
    assert len(work.requests) == begun + 1
    for number in range(3, 61, 2):
        raw.send(window(number, work.size))
        raw.clock.advance(0)
    raw.send(window(61, 10))
    raw.take()
    assert raw.ended == set(range(1, 63, 2))
    assert raw.bodies[61] == b"3"
    assert raw.connection.kept == 0
    assert len(work.requests) == 30


def test_who_takes_nothing_is_left_after_a_while() -> None:
    work = Work()
    raw = Raw(work)
    raw.send(settings((0x4, 0)), *(get(number, path=b"/much") for number in range(1, 61, 2)))
    raw.clock.pump([61, 61, 61, 61, 61, 61, 61, 61, 61])
    assert raw.closed
    assert raw.clock.getDelayedCalls() == []


# --- time --------------------------------------------------------------------------------------------------------------


def test_pings_do_not_keep_a_connection() -> None:
    raw = Raw(Work())
    for _ in range(6):
        raw.send(PINGED)
        raw.clock.advance(10)
    assert raw.closed


def test_a_request_that_takes_too_long() -> None:
    work = Work()
    raw = Raw(work, requestTimeout=5)
    raw.send(get(1, path=b"/later"), get(3, path=b"/later"), get(5))
    work.requests[1].write(b"begun")
    raw.clock.advance(5)
    found = raw.take()
    assert raw.status(1) == b"503"
    assert outcome(raw, found).startswith(f"reset 3 {CANCEL}")
    assert work.lost == 2
    assert not raw.closed


def test_a_body_that_does_not_come() -> None:
    raw = Raw(Work(), minBodyRate=None)
    raw.send(post(1))
    raw.clock.advance(30)
    raw.send(frame(DATA, 0, 1, b"x"))
    raw.clock.advance(59)
    assert raw.status(1) is None
    raw.clock.advance(1)
    raw.take()
    assert raw.status(1) == b"408"


def test_a_body_that_drips() -> None:
    raw = Raw(Work(), minBodyRate=500)
    raw.send(post(1), post(3))
    for _ in range(20):
        raw.clock.advance(1)
        raw.send(frame(DATA, 0, 1, b"x" * 400), frame(DATA, 0, 3, b"x" * 600))
    raw.take()
    assert raw.status(1) == b"408"
    assert raw.status(3) is None
    raw.send(frame(DATA, END_STREAM, 3))
    assert raw.bodies[3] == b"12000"
    assert raw.connection.streams == {}


@pytest.mark.parametrize(("step", "status"), [(25, b"200"), (5, b"408")])
def test_a_large_frame_over_a_slow_network(step: int, status: bytes) -> None:
    """Bytes count, not frames: this one alone takes longer than ``timeOut``, and than the time for which a body may be slow."""
    raw = Raw(Work(), minBodyRate=20, timeOut=60)
    sent = frame(DATA, END_STREAM, 1, b"x" * 16000)
    raw.send(post(1), sent[:9])
    for at in range(9, len(sent), step):
        raw.clock.advance(1)
        raw.send(sent[at : at + step])
        if raw.status(1) is not None:
            break
    assert raw.status(1) == status


def test_bodies_that_are_too_large() -> None:
    raw = Raw(Work(), maxBodySize=10)
    raw.send(
        post(1, (b"content-length", b"11")),
        post(3),
        frame(DATA, 0, 3, b"x" * 11),
        post(5),
        frame(DATA, END_STREAM, 5, b"x" * 10),
    )
    assert (raw.status(1), raw.status(3), raw.status(5)) == (b"413", b"413", b"200")
