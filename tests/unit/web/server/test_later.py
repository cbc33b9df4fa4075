"""Answers that come later, and bodies that are made part by part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from torsion.internet.defer import CancelledError, Deferred, fail, succeed
from torsion.web.error import UnsupportedMethod
from torsion.web.resource import Resource
from torsion.web.server import NOT_DONE_YET
from unit.web.talk import Fixed, Talk, read_answer


def test_a_deferred() -> None:
    answer: Deferred[bytes] = Deferred()
    talk = Talk(Fixed(answer))
    talk.send()
    assert talk.written() == b""
    answer.callback(b"later")
    assert talk.answer().body == b"later"


def test_a_deferred_that_has_fired() -> None:
    assert Talk(Fixed(lambda request: succeed(b"now"))).ask().body == b"now"


def test_a_deferred_of_a_deferred_of_parts() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    assert Talk(Fixed(lambda request: succeed(parts()))).ask().body == b"ab"


def test_a_coroutine() -> None:
    waited: Deferred[bytes] = Deferred()

    class Slow(Resource):
        isLeaf = True

        async def render_GET(self, request: Any) -> bytes:
            return b"after " + (await waited if request.method == b"GET" else b"head")

    talk = Talk(Slow())
    talk.send()
    waited.callback(b"all")
    answer = talk.answer()
    assert (answer.body, answer.one("content-length")) == (b"after all", "9")
    assert talk.ask(method="HEAD").one("content-length") == "10"


def test_a_coroutine_that_writes_itself() -> None:
    async def render(request: Any) -> None:
        request.write(b"by ")
        request.write(b"itself")
        request.finish()

    assert Talk(Fixed(render)).ask().body == b"by itself"


def test_a_coroutine_that_leaves_it_to_others() -> None:
    requests: list[Any] = []

    async def render(request: Any) -> int:
        requests.append(request)
        return NOT_DONE_YET

    talk = Talk(Fixed(render))
    talk.send()
    requests[0].write(b"x")
    requests[0].finish()
    assert talk.answer().body == b"x"


@pytest.mark.parametrize("later", [lambda: fail(KeyError("x")), "coroutine"])
def test_what_fails_later(later: Any, flush_errors: Any) -> None:
    async def fails() -> bytes:
        raise KeyError("x")

    answer = Talk(Fixed(lambda request: fails() if later == "coroutine" else later())).ask()
    assert answer.code == 500
    flush_errors(KeyError)


def test_what_fails_later_amid_a_response(flush_errors: Any) -> None:
    async def render(request: Any) -> bytes:
        request.write(b"some")
        raise KeyError("x")

    talk = Talk(Fixed(render))
    talk.send()
    assert not talk.answer().complete
    assert not talk.transport.connected
    flush_errors(KeyError)


def test_what_is_no_answer_later() -> None:
    assert Talk(Fixed(lambda request: succeed("text"))).ask().code == 500
    assert Talk(Fixed(lambda request: succeed(None))).ask().code == 500


def test_a_method_that_turns_out_not_to_be_allowed() -> None:
    async def render(request: Any) -> bytes:
        raise UnsupportedMethod([b"PUT"])

    answer = Talk(Fixed(render)).ask()
    assert (answer.code, answer.one("allow")) == (405, "PUT")


def test_a_client_that_leaves_cancels(flush_errors: Any) -> None:
    cancelled: list[bool] = []
    waited: Deferred[bytes] = Deferred(lambda waited: cancelled.append(True))
    talk = Talk(Fixed(waited))
    talk.send()
    talk.leave()
    assert cancelled == [True]


def test_a_coroutine_that_will_not_be_cancelled(flush_errors: Any) -> None:
    """What it returns is for nobody; what it raises is logged."""
    waiting: list[Deferred[None]] = []

    async def render(request: Any) -> bytes:
        waiting.append(Deferred())
        try:
            await waiting[-1]
        except CancelledError:
            if request.uri == b"/raise":
                raise KeyError("x") from None
        return b"late"

    for target in ("/return", "/raise"):
        talk = Talk(Fixed(render))
        talk.send(target)
        talk.leave()
        assert talk.written() == b""
    assert len(flush_errors(KeyError)) == 1


def test_parts_are_chunks() -> None:
    async def render(request: Any) -> AsyncIterator[bytes]:
        request.setHeader(b"content-type", b"text/plain")
        yield b"one "
        yield b""
        yield b"two"

    answer = Talk(Fixed(render)).ask()
    assert (answer.body, answer.complete, answer.one("content-type")) == (b"one two", True, "text/plain")


def test_parts_wait_for_the_client() -> None:
    made: list[int] = []
    closed: list[bool] = []

    async def render(request: Any) -> AsyncIterator[bytes]:
        try:
            for number in range(4):
                made.append(number)
                if number == 1:
                    talk.channel.pauseProducing()
                yield b"%d" % number
        finally:
            closed.append(True)

    talk = Talk(Fixed(render))
    talk.send()
    assert made == [0, 1]
    talk.channel.resumeProducing()
    assert talk.answer().body == b"0123"
    assert (made, closed) == ([0, 1, 2, 3], [True])


def test_a_client_that_leaves_amid_parts(flush_errors: Any) -> None:
    seen: list[str] = []
    waited: Deferred[None] = Deferred()

    async def render(request: Any) -> AsyncIterator[bytes]:
        try:
            yield b"one"
            await waited
            seen.append("went on")
        except CancelledError:
            seen.append("cancelled")
            raise
        finally:
            seen.append("closed")

    talk = Talk(Fixed(render))
    talk.send()
    assert read_answer(talk.written())[0].body == b"one"
    talk.leave()
    assert seen == ["cancelled", "closed"]


def test_a_client_that_leaves_while_it_is_waited_for(flush_errors: Any) -> None:
    closed: list[bool] = []

    async def render(request: Any) -> AsyncIterator[bytes]:
        try:
            talk.channel.pauseProducing()
            yield b"one"
            yield b"two"
        finally:
            closed.append(True)

    talk = Talk(Fixed(render))
    talk.send()
    talk.leave()
    assert closed == [True]


def test_a_part_that_is_not_bytes(flush_errors: Any) -> None:
    async def render(request: Any) -> AsyncIterator[Any]:
        yield b"one"
        yield "two"

    talk = Talk(Fixed(render))
    talk.send()
    assert not talk.answer().complete
    assert not talk.transport.connected
    [failure] = flush_errors(TypeError)
    assert "must be bytes" in str(failure.value)


def test_no_parts_for_head() -> None:
    made: list[int] = []

    async def render(request: Any) -> AsyncIterator[bytes]:
        made.append(1)
        yield b"x"

    talk = Talk(Fixed(render))
    assert talk.ask(method="HEAD").code == 200
    assert made == []
    assert talk.ask().body == b"x", "the connection goes on"
