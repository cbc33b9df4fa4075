"""Access logs: what clients cannot forge in them, and what becomes of lines that cannot be written."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from torsion.internet.address import IPv4Address
from torsion.internet.error import ConnectionDone
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransport
from torsion.logger import capturedLogs
from torsion.python.failure import Failure
from torsion.web import http
from torsion.web.http import accesslog
from torsion.web.http_headers import Headers
from torsion.web.server import Site
from torsion.web.static import Data

APACHE = re.compile(
    r'(\S+) (\S+) (\S+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"'
)
"""A line as Apache's LogFormat "combined" writes it: quotes and backslashes within quotes are escaped."""


class Asked:
    """A request that was answered."""

    clientproto = b"HTTP/1.1"
    code = 200
    sentLength = 12

    def __init__(self, method: bytes = b"GET", uri: bytes = b"/", **fields: bytes) -> None:
        self.method, self.uri = method, uri
        self.requestHeaders = Headers({name.replace("_", "-"): [value] for name, value in fields.items()})

    def getClientAddress(self) -> Any:
        return IPv4Address("TCP", "192.0.2.1", 1234)

    def getHeader(self, name: bytes) -> bytes | None:
        values = self.requestHeaders.getRawHeaders(name)
        return values[-1] if values else None


def line(formatter: Any, asked: Any, when: str = "[21/Nov/2026:23:00:00 +0000]") -> str:
    written: str = formatter(when, asked)
    return written


def test_a_line_is_apache_s() -> None:
    asked = Asked(uri=b"/a?b", referer=b"http://there/", user_agent=b"curl/8")
    assert line(http.apacheLogFormatter, asked) == (
        '192.0.2.1 - - [21/Nov/2026:23:00:00 +0000] "GET /a?b HTTP/1.1" 200 12 "http://there/" "curl/8"'
    )


def test_the_time_in_json_is_as_other_programs_read_it() -> None:
    for written, read in (
        ("[21/Nov/2026:23:00:00 +0000]", "2026-11-21T23:00:00+00:00"),
        ("[01/Jan/2027:00:00:09 -0330]", "2027-01-01T00:00:09-03:30"),
        ("[now]", "now"),
        ("[21/Nox/2026:23:00:00 +0000]", "21/Nox/2026:23:00:00 +0000"),
    ):
        assert json.loads(line(http.jsonLogFormatter, Asked(), written))["time"] == read


FORGED = b'x" 200 1 "-" "-"\n192.0.2.9 - - [now] "GET /forged HTTP/1.1" 200 1 "-" "\\'


@pytest.mark.parametrize("name", ["apacheLogFormatter", "apacheProxiedLogFormatter", "jsonLogFormatter"])
@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
@example(FORGED, FORGED, FORGED, FORGED)
@example(b"\x1b[2J", "\u2028\x85".encode(), b"\\", b'"')
def test_nothing_that_a_client_sends_makes_a_line_or_a_field(
    name: str, method: bytes, uri: bytes, agent: bytes, forwarded: bytes
) -> None:
    asked = Asked(method, uri, user_agent=agent, referer=agent, x_forwarded_for=forwarded)
    written = line(getattr(http, name), asked)
    assert written.isascii()
    assert written.isprintable()
    assert len(written.splitlines()) == 1
    if name == "jsonLogFormatter":
        assert set(json.loads(written)) == {
            "time", "client", "method", "uri", "protocol", "status", "bytes", "referrer", "agent",
        }  # fmt: skip
    else:
        found = APACHE.fullmatch(written)
        assert found is not None
        assert found[2] == found[3] == "-"
        assert re.fullmatch(r"[0-9a-f.:]+", found[1])


@pytest.mark.parametrize(
    ("forwarded", "shown"),
    [
        (b"198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (b"2001:db8::1", "2001:db8::1"),
        (b"fe80::1%x - admin", "fe80::1"),
        (b"unknown", "192.0.2.1"),
        (b"1.2.3.4 - admin [now]", "192.0.2.1"),
    ],
)
def test_a_client_behind_a_proxy_is_an_address_or_the_proxy(forwarded: bytes, shown: str) -> None:
    assert line(http.apacheProxiedLogFormatter, Asked(x_forwarded_for=forwarded)).startswith(f"{shown} - - ")


class Room:
    """A file with room for some bytes.

    :ivar room: how many.
    """

    def __init__(self, file: Any, room: int) -> None:
        self._file = file
        self.room = room
        self.close = file.close

    def write(self, data: memoryview) -> int:
        fits = data[: self.room]
        if not fits:
            raise OSError(28, "No space left on device")
        self.room -= len(fits)
        written: int = self._file.write(fits)
        return written


def full(path: Path, room: int) -> tuple[accesslog.AccessLog, Room]:
    """Return a log on a disk that has room for so many bytes, and that disk."""
    log = accesslog.AccessLog(str(path))
    disk = log._file = Room(log._file, room)  # type: ignore[assignment]  # it has what is used
    return log, disk


def test_lines_that_are_lost_are_counted_and_told_when_there_is_room_again(tmp_path: Path) -> None:
    log, disk = full(tmp_path / "log", 15)
    with capturedLogs() as events:
        log.put(["first\n"])
        assert log.put(["second\n", "third\n"]) == 1  # "th" of the third fits
        disk.room = 100
        log.dropped = 1
        log.write("fourth\n")
        assert log.close()
    # The half of a line that was written ends there: what follows is not taken for its rest.
    assert (tmp_path / "log").read_text() == "first\nsecond\nth\nfourth\n"
    told = [event["log_format"].format(**event) for event in events]
    assert told[0].startswith("The access log")
    assert told[1:] == [f"The access log {tmp_path / 'log'} has lost lines: 1"]


def test_a_disk_that_stays_full_is_told_of_at_the_end(tmp_path: Path) -> None:
    log, _ = full(tmp_path / "log", 0)
    with capturedLogs() as events:
        for number in range(5):
            log.write(f"{number}\n")
        assert log.close()
    assert log.dropped == 5
    assert [event["lost"] for event in events if "lost" in event] == [5]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_log_that_is_exchanged_waits_for_nobody(tmp_path: Path) -> None:
    """Closing a log whose reader has stopped, as a reload does, returns at once; its lines come when the reader goes on."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log = accesslog.AccessLog(str(path))
    for number in range(3000):
        log.write(f"{number:099}\n")
    assert not log.close(0)
    os.set_blocking(reader, True)
    got = b""
    while len(got) < 300_000:
        got += os.read(reader, 65536)
    assert log.close()
    assert os.read(reader, 1) == b""  # it is closed
    os.close(reader)
    assert log.dropped == 0


def test_connections_that_outlive_their_port_are_logged(tmp_path: Path) -> None:
    """A port is closed before requests end, at the end and at a restart; the log is closed with the last connection."""
    site = Site(Data(b"it", "text/plain"), logPath=str(tmp_path / "log"), reactor=Clock())
    site.resource.isLeaf = True
    site.startFactory()
    channels = [site.buildProtocol(None) for _ in range(2)]
    for channel in channels:
        channel.makeConnection(StringTransport())
    site.stopFactory()
    for number, channel in enumerate(channels):
        channel.dataReceived(b"GET /%d HTTP/1.1\r\nHost: here\r\n\r\n" % number)
        assert b"200 OK" in channel.transport.value()
        file = site.logFile
        channel.connectionLost(Failure(ConnectionDone()))
    with pytest.raises(AttributeError):
        site.logFile
    assert [each.partition('"GET ')[2][:2] for each in (tmp_path / "log").read_text().splitlines()] == ["/0", "/1"]
    file.write("too late\n")
    assert file.dropped == 1
