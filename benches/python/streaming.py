"""Whether memory stays flat while a large body streams: `streaming.py [WAY...] [--mib N] [--json]`, MiB of memory that it took.

Each way runs in a process of its own (streamed.py).  At the other end are Python's own `http.client` and `http.server`, and half-way through whoever
takes the body takes nothing until the process that is measured does nothing any more: what does not heed back-pressure has all of the
rest in its memory by then.  The figure is the greatest resident memory during the exchange, less what there was before, after an exchange
of 8 MiB that is not measured.  Linux only, for /proc.

up            a PUT to a resource that reads its body as it comes        up-chunked   the same, of unknown length
content       a PUT to a resource that has `request.content`: a file by then
whole         the same, but all of it is read at once: what it looks like if memory is not flat; measured only when it is asked for
producer      a GET from a pull producer       iterator   from an asynchronous iterator       static   of a file
proxy-up, proxy-down    both through a `ReverseProxyResource`
h2-up, h2-down          both over HTTP/2, with curl, where it is installed
asgi-up, asgi-down      both with an application of ASGI       wsgi-up, wsgi-down   and of WSGI
agent-up, agent-down    a client: `Agent`       fetch-up, fetch-down   and `torsion.web.fetch`
"""

from __future__ import annotations

import argparse
import http.client
import http.server
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

MIB = 1 << 20
WARM = 8 * MIB
"""Bytes, of the exchange that is not measured; behind so many, whoever takes a body rests."""

PIECE = 256 * 1024
PLAYED = Path(__file__).with_name("streamed.py")
PATIENCE = 120
"""Seconds to wait for any one step."""

DOWN = ["producer", "iterator", "static", "proxy-down", "asgi-down", "wsgi-down"]
UP = ["up", "up-chunked", "content", "proxy-up", "asgi-up", "wsgi-up"]
NOT_FLAT = "whole"
CLIENTS = ["agent-up", "agent-down", "fetch-up", "fetch-down"]
HTTP_2 = ["h2-up", "h2-down"]
WAYS = [*UP, *DOWN, *HTTP_2, *CLIENTS]


def until_idle(pid: int) -> None:
    """Wait until a process has not been on a core for a while."""
    before, quiet = -1, 0
    for _ in range(PATIENCE * 50):
        tasks = Path(f"/proc/{pid}/task")
        now = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())
        quiet = quiet + 1 if now - before < 100_000 else 0
        if quiet == 5:
            return
        before = now
        time.sleep(0.02)
    sys.exit("it is never idle, although nobody takes what it sends")


class Origin(http.server.ThreadingHTTPServer):
    """A server that sends and takes as much as it is asked to."""

    daemon_threads = True
    rest: Callable[[], None] = staticmethod(lambda: None)

    class RequestHandlerClass(http.server.BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"
        server: Origin

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            size = int(self.path.rpartition("=")[2])
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            piece = bytes(PIECE)
            for _ in range(size // PIECE):
                self.wfile.write(piece)

        def _lengths(self) -> Iterator[int]:
            """Go through the lengths of what comes."""
            if "content-length" in self.headers:
                left = int(self.headers["content-length"])
                while left:
                    yield min(left, PIECE)
                    left -= min(left, PIECE)
                return
            while size := int(self.rfile.readline(), 16):
                yield size
                self.rfile.readline()
            self.rfile.readline()

        def do_PUT(self) -> None:
            got, rested = 0, False
            for size in self._lengths():
                got += len(self.rfile.read(size))
                if not rested and got > WARM:
                    rested = True
                    self.server.rest()
            self.send_response(200)
            self.send_header("Content-Length", str(len(str(got))))
            self.end_headers()
            self.wfile.write(str(got).encode())

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def put(port: int, size: int, *, chunked: bool) -> int:
    """Send *size* bytes; return how many the server says it has got."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.putrequest("PUT", "/")
    connection.putheader(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(size))))
    connection.endheaders()
    piece = b"%x\r\n%b\r\n" % (PIECE, bytes(PIECE)) if chunked else bytes(PIECE)
    for _ in range(size // PIECE):
        connection.send(piece)
    if chunked:
        connection.send(b"0\r\n\r\n")
    got = int(connection.getresponse().read())
    connection.close()
    return got


def get(port: int, size: int, rest: Callable[[], None]) -> int:
    """Take a body, and rest half-way; return how many bytes came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", f"/?size={size}")
    response = connection.getresponse()
    buffer, got, rested = bytearray(PIECE), 0, False
    while count := response.readinto(buffer):
        got += count
        if not rested and got > WARM:
            rested = True
            rest()
    connection.close()
    return got


def by_curl(port: int, size: int, upwards: bool, rest: Callable[[], None]) -> int:
    """Send or take a body over HTTP/2, as `put` and `get` do."""
    command = [
        "curl",
        "-s",
        "-N",
        "--http2-prior-knowledge",
        *(["-T", "-"] if upwards else []),
        f"http://127.0.0.1:{port}/?size={size}",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as curl:
        assert curl.stdin is not None
        assert curl.stdout is not None
        if upwards:
            for _ in range(size // PIECE):
                curl.stdin.write(bytes(PIECE))
            curl.stdin.close()
            return int(curl.stdout.read())
        got, rested = 0, False
        while part := curl.stdout.read1(PIECE):
            got += len(part)
            if not rested and got > WARM:
                rested = True
                rest()
        return got


def memory(pid: int, which: str) -> int:
    """Return bytes of resident memory of a process: now (VmRSS), or at most (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(which)).split()[1]) * 1024


def measure(way: str, size: int) -> float:
    """Return how many MiB of memory a way takes at most, for a body of *size* bytes.

    :raises AssertionError: if a byte is missing.
    """
    origin = Origin()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file"
        file.touch()
        again = [sys.executable, str(PLAYED), way, str(origin.server_address[1]), str(file)]
        child = subprocess.Popen(again, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            said = child.stdout.readline()

            def exchange(size: int) -> int:
                if way in CLIENTS:
                    print(size, file=child.stdin, flush=True)
                    return int(child.stdout.readline())
                if way in HTTP_2:
                    return by_curl(int(said), size, way == "h2-up", origin.rest)
                if way in UP or way == NOT_FLAT:
                    return put(int(said), size, chunked=way == "up-chunked")
                with file.open("r+b") as opened:
                    opened.truncate(size)
                return get(int(said), size, origin.rest)

            assert exchange(WARM) == WARM, way
            origin.rest = lambda: until_idle(child.pid)
            Path(f"/proc/{child.pid}/clear_refs").write_text("5")  # the greatest resident memory counts from here
            before = memory(child.pid, "VmRSS")
            assert exchange(size) == size, way
            return (memory(child.pid, "VmHWM") - before) / MIB
        finally:
            child.kill()
            child.communicate()
            origin.shutdown()
            origin.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("way", nargs="*", help=f"any of {' '.join(WAYS)}; all of them by default")
    parser.add_argument("--mib", type=int, default=2048, help="how large the body is")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if unknown := set(asked.way) - {*WAYS, NOT_FLAT}:
        parser.error(f"no such way: {' '.join(unknown)}")
    figures = {}
    for way in asked.way or [way for way in WAYS if way not in HTTP_2 or shutil.which("curl")]:
        began = time.monotonic()
        figures[way] = measure(way, asked.mib * MIB)
        if not asked.json:
            print(
                f"{way:12}{figures[way]:10.1f} MiB of memory for {asked.mib} MiB, in {time.monotonic() - began:.1f} s",
                flush=True,
            )
    if asked.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
