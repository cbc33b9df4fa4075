"""Dates, queries, chunks, cookies: the functions of ``torsion.web.http``."""

from __future__ import annotations

import calendar
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from torsion.internet.address import IPv4Address, UNIXAddress
from torsion.internet.task import Clock
from torsion.logger import capturedLogs
from torsion.web import http, iweb
from torsion.web.http import accesslog
from torsion.web.http_headers import Headers

BIRTHDAY = calendar.timegm((1994, 11, 6, 8, 49, 37))


@pytest.mark.parametrize(
    "written",
    [
        b"Sun, 06 Nov 1994 08:49:37 GMT",
        b"06 Nov 1994 08:49:37 GMT",
        b"Sunday, 06-Nov-94 08:49:37 GMT",
        b"06-Nov-1994 08:49:37 GMT",
        b"Sun Nov  6 08:49:37 1994",
        b"Nov  6 08:49:37 1994",
    ],
)
def test_dates_in_all_forms(written: bytes) -> None:
    assert http.stringToDatetime(written) == BIRTHDAY


@given(st.integers(0, 4 * 10**9))
def test_dates_there_and_back(when: int) -> None:
    assert http.stringToDatetime(http.datetimeToString(when)) == when


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"x",
        b"Sun",
        b"06 Foo 1994 08:49:37 GMT",
        b"06 Nov 1900 08:49:37 GMT",
        b"06 Nov 1994",
        b"1 2 3 4:5",
        b"\xff",
    ],
)
def test_what_is_no_date(written: bytes) -> None:
    with pytest.raises(ValueError):
        http.stringToDatetime(written)


def test_dates_of_logs() -> None:
    assert http.datetimeToLogString(BIRTHDAY) == "[06/Nov/1994:08:49:37 +0000]"


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_chunks_there_and_back(data: bytes, rest: bytes) -> None:
    assert http.fromChunk(b"".join(http.toChunk(data)) + rest) == (data, rest)


@pytest.mark.parametrize("written", [b"", b"-1\r\na\r\n", b"0x1\r\na\r\n", b"5\r\nabc", b"1\r\nab\r\n", b"+1\r\na\r\n"])
def test_what_is_no_chunk(written: bytes) -> None:
    with pytest.raises(ValueError, match=r"hunk"):
        http.fromChunk(written)


def test_content_ranges() -> None:
    assert http.parseContentRange("bytes 5-9/20") == (5, 9, 20)
    assert http.parseContentRange(" bytes 5-9/*") == (5, 9, None)
    with pytest.raises(ValueError, match="lines"):
        http.parseContentRange("lines 1-2/3")


def test_queries() -> None:
    assert http.parse_qs(b"a=1&b=%41+b&a=2&c=&d") == {b"a": [b"1", b"2"], b"b": [b"A b"]}
    assert http.parse_qs(b"c=&d", 1) == {b"c": [b""], b"d": [b""]}
    with pytest.raises(ValueError, match="bad query field"):
        http.parse_qs(b"d", strict_parsing=1)


@given(st.binary(max_size=200))
def test_any_query_is_parsed(query: bytes) -> None:
    for name, values in http.parse_qs(query, 1).items():
        assert isinstance(name, bytes)
        assert all(isinstance(value, bytes) for value in values)


def test_urls_are_bytes() -> None:
    assert http.urlparse(b"http://h:1/p;q?r#s") == (b"http", b"h:1", b"/p", b"q", b"r", b"s")
    with pytest.raises(TypeError):
        http.urlparse("http://h/")


class Answered:
    """A request of which a line is to be written."""

    method = b"GET"
    uri = b'/a"b\x80'
    clientproto = b"HTTP/1.1"
    code = 200
    sentLength = 12

    def __init__(self, client: Any = None, **headers: bytes) -> None:
        self.client = client
        self.requestHeaders = Headers({name.replace("_", "-"): [value] for name, value in headers.items()})

    def getClientAddress(self) -> Any:
        return self.client

    def getHeader(self, name: bytes) -> bytes | None:
        values = self.requestHeaders.getRawHeaders(name)
        return values[-1] if values else None


HERE = IPv4Address("TCP", "192.0.2.1", 1234)


def test_lines_of_the_combined_format() -> None:
    line = http.combinedLogFormatter("[now]", Answered(HERE, referer=b"there", user_agent=b"x\r\n127.0.0.1 forged"))  # type: ignore[arg-type]  # it has what is asked for
    assert line == ('"192.0.2.1" - - [now] "GET /a\\"b\\x80 HTTP/1.1" 200 12 "there" "x 127.0.0.1 forged"')


def test_lines_of_what_is_known_little_of() -> None:
    assert http.combinedLogFormatter("[now]", Answered(object())).startswith('"-" - - ')  # type: ignore[arg-type]  # as above
    assert http.combinedLogFormatter("[now]", Answered(UNIXAddress("/x"))).endswith('"-" "-"')  # type: ignore[arg-type]  # as above


def test_lines_behind_a_proxy() -> None:
    asked: Any = Answered(HERE, x_forwarded_for=b" 198.51.100.7 , 10.0.0.1")
    assert http.proxiedLogFormatter("[now]", asked).startswith('"198.51.100.7" ')


def test_lines_of_json() -> None:
    asked: Any = Answered(HERE, user_agent=b"\xff")
    record = json.loads(http.jsonLogFormatter("[now]", asked))
    assert record["client"] == "192.0.2.1"
    assert (record["status"], record["bytes"], record["uri"]) == (200, 12, '/a"b\\x80')
    assert record["referrer"] is None


@pytest.mark.parametrize("name", ["combinedLogFormatter", "proxiedLogFormatter", "jsonLogFormatter"])
def test_formatters_say_what_they_are(name: str) -> None:
    verifyObject(iweb.IAccessLogFormatter, getattr(http, name))


def test_an_access_log(tmp_path: Path) -> None:
    clock = Clock()
    clock.advance(1234567890)
    factory = http.HTTPFactory(logPath=str(tmp_path / "access.log"), reactor=clock)
    factory.startFactory()
    factory.log(Answered(HERE))
    clock.advance(1)
    factory.log(Answered(HERE))
    factory.stopFactory()
    lines = (tmp_path / "access.log").read_text().splitlines()
    assert [line.split("[")[1].split("]")[0] for line in lines] == [
        "13/Feb/2009:23:31:30 +0000",
        "13/Feb/2009:23:31:31 +0000",
    ]


def test_a_formatter_may_keep_silent(tmp_path: Path) -> None:
    factory = http.HTTPFactory(str(tmp_path / "log"), logFormatter=lambda *_: None, reactor=Clock())
    factory.startFactory()
    factory.log(Answered(HERE))
    factory.stopFactory()
    assert (tmp_path / "log").read_text() == ""


def test_a_log_that_cannot_be_opened(tmp_path: Path) -> None:
    factory = http.HTTPFactory(str(tmp_path / "none" / "log"), reactor=Clock())
    with pytest.raises(FileNotFoundError):
        factory.startFactory()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_log_whose_reader_has_stopped_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named pipe that nobody reads from is full after 64 KiB; what does not fit any more is dropped."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    monkeypatch.setattr(accesslog, "MOST_KEPT", 100_000)
    log = accesslog.AccessLog(str(path))
    lines = [f"{number:099}\n" for number in range(5000)]
    for line in lines:
        log.write(line)
    assert 0 < log.dropped < 5000
    os.set_blocking(reader, True)
    got = b""
    while len(got) < (5000 - log.dropped) * 100:
        got += os.read(reader, 65536)
    written = [int(line) for line in got.split()]
    assert written == sorted(written), "in order, whatever was dropped in between"
    log.close()
    os.close(reader)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_log_on_a_full_disk() -> None:
    log = accesslog.AccessLog("/dev/full")
    with capturedLogs() as events:
        for _ in range(3):
            log.write("line\n")
        log.close()
    assert log.dropped == 3
    assert len([event for event in events if "lines are lost" in event["log_format"]]) == 1


def test_stopping_what_was_not_started() -> None:
    http.HTTPFactory().stopFactory()
