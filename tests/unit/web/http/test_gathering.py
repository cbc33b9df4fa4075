"""Small bodies of requests like most: gathered, and given to the request as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from torsion.web.http import Request
from torsion.web.http.body import MOST_IN_MEMORY
from unit.web.http.wire import GET, Wire, post, say

pytestmark = pytest.mark.usefixtures("way")

BODY = bytes(range(256)) * 256


def at_once(request: Any) -> None:
    """Answer in the shortest way there is: what was asked for."""
    body = request.content.read()
    if not request._answerAtOnce(body):
        say(body)(request)


def bodies(answers: bytes) -> list[bytes]:
    found = []
    while answers:
        head, _, rest = answers.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        found.append(rest[:length])
        answers = rest[length:]
    return found


@pytest.mark.parametrize("process", [at_once, lambda request: say(request.content.read())(request)])
@pytest.mark.parametrize("cuts", [[], [30], [len(post(BODY)) - len(BODY)], [90, 100, 9000, 65_000], [65_630]])
def test_a_body_in_any_number_of_pieces(process: Any, cuts: list[int]) -> None:
    """Two requests with the same body, and one without between them, all of it cut anywhere."""
    wire = Wire(process)
    sent = post(BODY) + GET + post(BODY)
    begin = 0
    for end in [*cuts, *(len(post(BODY) + GET) + cut for cut in cuts), len(sent)]:
        wire.send(sent[begin:end])
        begin = end
    assert bodies(wire.take()) == [BODY, b"", BODY]
    assert all(request.content.closed for request in wire.asked if request.method == b"POST")


def test_a_byte_at_a_time() -> None:
    wire = Wire(at_once)
    for byte in post(b"drop by drop") + GET:
        wire.send(bytes([byte]))
    assert bodies(wire.take()) == [b"drop by drop", b""]


def test_the_program_is_given_the_very_bytes_that_were_gathered() -> None:
    wire = Wire()
    wire.send(post(BODY))
    [request] = wire.asked
    assert request.content.getvalue() is request.content.read()
    assert request._length == len(BODY)


def test_a_program_may_still_look_into_a_body_when_it_has_answered() -> None:
    kept = []

    def keep(request: Any) -> None:
        kept.append(request.content.getbuffer())
        at_once(request)

    wire = Wire(keep)
    wire.send(post(b"one"), post(b"two"))
    assert bodies(wire.take()) == [b"one", b"two"]
    assert [bytes(view) for view in kept] == [b"one", b"two"]


def test_who_overrides_what_is_done_with_bodies_is_asked() -> None:
    class Curious(Request):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.seen: list[Any] = []

        def gotLength(self, length: int | None) -> None:
            self.seen.append(length)
            super().gotLength(length)

        def headReceived(self) -> None:
            self.seen.append(self.method)

        def handleContentChunk(self, data: bytes) -> None:
            self.seen.append(data)
            super().handleContentChunk(data)

    for missing in ("gotLength", "headReceived", "handleContentChunk"):
        kind = type("Kind", (Curious,), {missing: getattr(Request, missing)})
        wire = Wire(at_once, request=kind)
        wire.send(post(b"abcdef")[:-3], b"def")
        [request] = wire.asked
        expected = {"gotLength": [6], "headReceived": [b"POST"], "handleContentChunk": [b"abc", b"def"]}
        del expected[missing]
        assert request.seen == [each for name in expected for each in expected[name]]
        assert bodies(wire.take()) == [b"abcdef"]


def test_a_body_that_is_too_large_is_refused_at_the_head() -> None:
    wire = Wire(at_once, maxBodySize=10)
    wire.send(post(b"0123456789"))
    assert bodies(wire.take()) == [b"0123456789"]
    wire.send(post(b"0123456789!")[:-11])
    assert wire.take().startswith(b"HTTP/1.1 413 ")
    assert wire.closed


def test_who_waits_to_be_told_to_go_on_is_told() -> None:
    wire = Wire(at_once)
    sent = post(b"body", b"Expect: 100-continue")
    wire.send(sent[:-4])
    assert wire.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(b"body")
    assert bodies(wire.take()) == [b"body"]


def test_a_body_has_the_idle_time_for_each_of_its_parts() -> None:
    """It is no head: it may take longer than one, as long as something comes."""
    wire = Wire(at_once, timeOut=10, headerTimeout=15, minBodyRate=None)
    sent = post(b"0123")
    wire.send(sent[:-4])
    for byte in b"012":
        wire.clock.advance(9)
        wire.send(bytes([byte]))
        assert not wire.closed
    wire.clock.advance(10)
    assert wire.take().startswith(b"HTTP/1.1 408 ")
    assert wire.asked == []


def test_a_body_that_drips_in_is_not_waited_for_and_the_next_one_has_its_own_time() -> None:
    wire = Wire(at_once, minBodyRate=100)
    sent = post(b"x" * 4000)
    wire.send(sent[:-4000], b"x" * 1999)
    wire.clock.advance(19)
    wire.send(b"x" * 2001)
    assert bodies(wire.take()) == [b"x" * 4000]
    wire.send(sent[:-4000], b"x")
    wire.clock.advance(2)  # 21 seconds after the first began
    assert not wire.closed
    wire.send(b"x" * 1998)
    wire.clock.advance(18)
    assert wire.take().startswith(b"HTTP/1.1 408 ")
    assert wire.closed
    assert len(wire.asked) == 1


def test_a_client_that_leaves_amid_a_body_has_asked_nothing() -> None:
    wire = Wire(at_once)
    wire.send(post(BODY)[:-1])
    wire.leave()
    assert wire.asked == []


@pytest.mark.parametrize("there", [0, 5])
def test_a_request_whose_body_comes_in_is_answered_though_the_server_finishes(there: int) -> None:
    wire = Wire(at_once)
    sent = post(b"0123456789")
    wire.send(sent[: len(sent) - 10 + there])
    wire.channel.finish()
    assert not wire.closed
    wire.send(sent[len(sent) - 10 + there :])
    answer = wire.take()
    assert bodies(answer) == [b"0123456789"]
    assert b"\r\nconnection: close\r\n" in answer.lower()
    assert wire.closed


def test_a_form_becomes_arguments_and_a_bad_one_is_refused() -> None:
    wire = Wire(at_once)
    wire.send(post(b"a=1&b=2", b"Content-Type: application/x-www-form-urlencoded"))
    assert wire.asked[0].args == {b"a": [b"1"], b"b": [b"2"]}
    assert bodies(wire.take()) == [b"a=1&b=2"]
    wire.send(post(b"&" * 20_000, b"content-type: Application/X-WWW-Form-urlencoded"))
    assert wire.take().startswith(b"HTTP/1.1 400 ")
    assert wire.closed


def test_a_program_that_fails_with_a_body_costs_its_connection() -> None:
    from torsion.logger import capturedLogs

    def fail(request: Any) -> None:
        raise RuntimeError("the program's")

    wire = Wire(fail)
    with capturedLogs() as logs:
        wire.send(post(b"body"))
    assert wire.take().startswith(b"HTTP/1.1 500 ")
    assert any("log_failure" in event for event in logs)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="what a process has resident is read from /proc")
def test_a_body_that_is_announced_and_does_not_come_costs_no_memory() -> None:
    """A thousand clients that announce 100 kB each, and send a twentieth of it: less than 20 kB each, where it would be 100."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    most = MOST_IN_MEMORY - 1
    head = post(b"", b"X: 1").replace(b"Content-Length: 0", b"Content-Length: %d" % most)
    wires = [Wire(at_once) for _ in range(1000)]
    before = resident()
    for wire in wires:
        wire.send(head + b"x" * (most // 20))
    assert resident() - before < 20_000 * len(wires)
    assert not any(wire.asked for wire in wires)
