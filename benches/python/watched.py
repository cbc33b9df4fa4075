"""What it costs to be watched: CPU time of ``torsion echo`` for each message, with ``--status`` and without.

    python benches/python/watched.py --messages 100000 --rounds 5

Servers take turns: without a page, with one that nobody asks, with one that is asked each second for metrics, for the figures, and that with ``--slow``. 32
connections send 64 bytes and wait for them to come back. It prints the median and the least of the rounds, in microseconds. Linux only.
"""

from __future__ import annotations

import argparse
import re
import socket
import statistics
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

PEERS = 32
BLOCK = b"x" * 64
LISTEN = ["echo", "--listen", "tcp:0:interface=127.0.0.1"]
STATUS = ["--status", "tcp:0"]
KINDS = {
    "no page": ([], ""),
    "a page": (STATUS, ""),
    "metrics each second": (STATUS, "metrics"),
    "figures each second": (STATUS, "status.json"),
    "figures and --slow": ([*STATUS, "--slow", "0.1"], "status.json"),
}


def cpu(pid: int) -> float:
    """Return the processor time of all threads of a process, in seconds."""
    return sum(int(each.read_text().split()[0]) for each in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def measure(options: list[str], path: str, messages: int) -> float:
    """Return the microseconds that a message takes of the server."""
    command = [sys.executable, "-m", "torsion", *options, *LISTEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found: dict[str, str] = {}
        while "port" not in found or (options and "url" not in found):
            line = server.stdout.readline()
            for name, pattern in (("port", r"listening on \S+:(\d+)$"), ("url", r"Status at (\S+)")):
                if match := re.search(pattern, line):
                    found[name] = match[1]
        peers = [socket.create_connection(("127.0.0.1", int(found["port"]))) for _ in range(PEERS)]
        over = threading.Event()

        def watch() -> None:
            while path and not over.wait(1):
                urllib.request.urlopen(found["url"] + path).read()

        watcher = threading.Thread(target=watch)
        talk(peers, 5000)
        watcher.start()
        began = cpu(server.pid)
        talk(peers, messages)
        used = cpu(server.pid) - began
        over.set()
        watcher.join()
        for each in peers:
            each.close()
        server.terminate()
        server.communicate()
    return used / messages * 1e6


def talk(peers: list[socket.socket], messages: int) -> None:
    """Send so many messages, and take them back."""
    for _ in range(messages // len(peers)):
        for each in peers:
            each.sendall(BLOCK)
        for each in peers:
            each.recv(len(BLOCK), socket.MSG_WAITALL)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in KINDS}
    for _ in range(arguments.rounds):
        for name, (options, path) in KINDS.items():
            found[name].append(measure(options, path, arguments.messages))
    for name, times in found.items():
        print(f"{name:20} {statistics.median(times):6.2f} µs  (least {min(times):.2f})")


if __name__ == "__main__":
    main()
