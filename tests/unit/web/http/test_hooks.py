"""What Twisted documents as hooks is called, wherever a program has put its own."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.web.http import HTTPChannel, Request
from unit.web.http.wire import GET, Wire, say

pytestmark = pytest.mark.usefixtures("way")


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("name", ["headerReceived", "allHeadersReceived", "allContentReceived", "checkPersistence"])
def test_of_one_channel(name: str, late: bool) -> None:
    wire = Wire(say(b"ok"))
    if late:
        wire.send(GET)
    told: list[Any] = []
    usual = getattr(wire.channel, name)

    def hook(*args: Any) -> Any:
        told.append(args)
        return usual(*args)

    setattr(wire.channel, name, hook)
    wire.send(GET)
    assert len(told) == 1
    assert wire.take().count(b"200 OK") == 1 + late


@pytest.mark.parametrize("name", ["writeHeaders", "write", "requestDone"])
def test_of_one_channel_that_answer(name: str) -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET)
    told: list[Any] = []
    usual = getattr(wire.channel, name)

    def hook(*args: Any) -> Any:
        told.append(args)
        return usual(*args)

    setattr(wire.channel, name, hook)
    wire.send(GET)
    assert told


@pytest.mark.parametrize("name", ["gotLength", "gotHead", "parseCookies", "requestReceived", "_take"])
def test_of_requests(name: str) -> None:
    told: list[str] = []

    def hook(self: Any, *args: Any) -> Any:
        told.append(name)
        return getattr(super(kind, self), name)(*args)

    kind: Any = type("Told", (Request,), {name: hook})
    wire = Wire(say(b"ok"), request=kind)
    wire.send(GET)
    if name != "parseCookies":  # which is called by who wants them
        assert told == [name]
    assert wire.take().startswith(b"HTTP/1.1 200 ")


def test_requests_that_look_at_what_is_set() -> None:
    seen: list[str] = []

    class Looking(Request):
        def __setattr__(self, name: str, value: object) -> None:
            seen.append(name)
            super().__setattr__(name, value)

    wire = Wire(say(b"ok"), request=Looking)
    wire.send(GET)
    assert {"uri", "method"} <= set(seen)


def test_another_maker_of_requests() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET)
    made: list[Any] = []
    usual = wire.channel.requestFactory

    def make(*args: Any) -> Any:
        made.append(args[0])
        return usual(*args)

    wire.channel.requestFactory = make
    wire.send(GET)
    assert made == [wire.channel]


def test_what_is_no_hook_changes_nothing() -> None:
    class Counting(HTTPChannel):
        seen = 0

    wire = Wire(say(b"ok"), protocol=Counting)
    wire.channel.seen = 1
    wire.send(GET)
    wire.channel.more = 1
    wire.send(GET)
    assert wire.take().count(b"200 OK") == 2


@pytest.mark.parametrize("code", [99, 1000, 70_000, -200, 0])
def test_status_codes_have_three_digits(code: int) -> None:
    told: list[str] = []

    def process(request: Any) -> None:
        with pytest.raises(ValueError, match=str(code)) as raised:
            request.setResponseCode(code)
        told.append(str(raised.value))
        say(b"ok")(request)

    wire = Wire(process)
    wire.send(GET)
    assert len(told) == 1
    assert wire.take().startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("value", [b"+5", b"1_0", b" 5", b"-5", b"", b"five", b"5, 5", "\u0665".encode()])
def test_a_length_is_digits(value: bytes, caplog: Any) -> None:
    def process(request: Any) -> None:
        request.setHeader(b"content-length", value)
        request.responseHeaders._rawHeaders[b"Content-Length"] = [value]  # as it would be written
        request.write(b"12345")

    wire = Wire(process)
    wire.send(GET)
    assert wire.take() == b"HTTP/1.1 500 Internal Server Error\r\n\r\n"
    assert wire.closed


def test_there_is_one_length() -> None:
    def process(request: Any) -> None:
        request.responseHeaders.setRawHeaders(b"content-length", [b"5", b"6"])
        with pytest.raises(ValueError, match="5, 6"):
            request.write(b"12345")
        request.setHeader(b"content-length", b"2")
        request.write(b"ok")
        request.finish()

    wire = Wire(process)
    wire.send(GET)
    assert wire.take() == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_a_query_with_too_many_fields_is_the_clients_failure() -> None:
    wire = Wire(lambda request: request.args)
    wire.send(b"GET /?" + b"&" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert wire.take().startswith(b"HTTP/1.1 400 ")
    assert wire.closed
