"""What idle keep-alive connections cost: `idlehttp.py IMPLEMENTATION [--count N] [--seconds S]` prints one JSON object.

IMPLEMENTATION: torsion, twisted, uvicorn (see websites.py).

10,000 clients have each had one answer, and do nothing more.  The figures are the bytes of resident memory for each, what the server
is on a core in a second in which nothing happens (its time-outs run), and what a client waits for an answer then, the median of 101.
200 others have come and gone before, so that what is made once is made.
"""

from __future__ import annotations

import argparse
import json
import resource
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from served import free_port

HERE = Path(__file__).parent
FIRST = 200
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def ask(connection: socket.socket) -> None:
    """Ask, and take the answer.

    :raises AssertionError: if there is none.
    """
    connection.sendall(REQUEST)
    got = b""
    while not got.endswith(b"Hello, World!"):
        part = connection.recv(4096)
        assert part, got
        got += part


def connections(port: int, count: int) -> list[socket.socket]:
    """Return connections, each with one answer behind it."""
    made = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(count)]
    for connection in made:
        ask(connection)
    return made


def several(port: int, count: int) -> list[socket.socket]:
    """Return so many connections, made a hundred at a time: no queue of those that wait is longer than that."""
    return [connection for _ in range(count // 100) for connection in connections(port, 100)]


def resident(process: int) -> int:
    """Return the resident memory of a process, in bytes."""
    return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def on_core(process: int) -> float:
    """Return how many milliseconds the threads of a process have been on a core."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def wait(connection: socket.socket) -> float:
    """Return how many milliseconds a client waits for an answer."""
    began = time.perf_counter()
    ask(connection)
    return (time.perf_counter() - began) * 1e3


def measure(peer: str, count: int, seconds: float) -> dict[str, float]:
    """Return the figures of a server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    port = free_port()
    command = [sys.executable, str(HERE / "websites.py"), peer, "hello", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            for _ in range(400):
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionRefusedError:
                    assert server.poll() is None, "the server has ended"
                    time.sleep(0.05)
            for connection in several(port, FIRST):
                connection.close()
            connections(port, 1)  # answered when those that went are seen to
            before = resident(server.pid)
            idle = several(port, count)
            memory = (resident(server.pid) - before) / len(idle)
            time.sleep(seconds / 3)
            began = on_core(server.pid)
            time.sleep(seconds)
            busy = (on_core(server.pid) - began) / seconds
            waits = [wait(connection) for connection in idle[:: max(1, count // 101)]]
            return {
                "an idle keep-alive connection, bytes": memory,
                f"a second with {count:,} of them, CPU ms": busy,
                f"an answer beside {count:,} of them, ms": statistics.median(waits),
            }
        finally:
            server.kill()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("implementation", choices=["torsion", "twisted", "uvicorn"])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3.0, help="in which nothing happens")
    asked = parser.parse_args()
    print(json.dumps(measure(asked.implementation, asked.count, asked.seconds)))
