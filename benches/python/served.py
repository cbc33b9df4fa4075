"""A server under load: start it, drive it, and read what it cost.  Linux only, for /proc and for pinning processes to a core."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
HOST = "127.0.0.1"
FIRST_PORT = 20_000 + os.getpid() % 5_000  # below the ports that the kernel gives to clients
_next_port = FIRST_PORT


@dataclass(frozen=True)
class Case:
    """One load on one kind of server."""

    name: str
    kind: str
    load: list[str]
    unix: bool = False
    """Whether over a Unix socket."""
    program: str = "servers.py"
    """What serves it."""

    @property
    def unit(self) -> str:
        """What the figure counts."""
        return "bytes of memory each" if self.load[0] == "idle" else "CPU microseconds each"


def build(folder: Path) -> Path:
    """Compile the load and the C servers into *folder*."""
    compiler = shutil.which("cc") or sys.exit("needs a C compiler for the load generator")
    for name in ("load", "limit"):
        subprocess.run([compiler, "-O2", "-o", str(folder / name), str(HERE.parent / "c" / f"{name}.c")], check=True)
    return folder


def tree(pid: int) -> list[int]:
    """Return the ids of a process and of all below it: some servers have workers."""
    below = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        below += [int(child) for child in (task / "children").read_text().split()]
    return [pid, *(found for child in below for found in tree(child))]


def free_port() -> int:
    """Return a port that nobody listens on."""
    global _next_port
    while True:
        _next_port += 1
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, _next_port))
            except OSError:
                continue
            return _next_port


def pinned(core: int) -> None:
    """Keep this process to one core, and let it have all the descriptors it may."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Served:
    """A server that is running."""

    def __init__(self, peer: str, case: Case, tools: Path) -> None:
        self._tools = tools
        self._place = str(tools / f"socket{free_port()}") if case.unix else str(free_port())
        command = [str(tools / "limit")] if peer == "limit" else [sys.executable, str(HERE / case.program), peer]
        self._process = subprocess.Popen(
            [*command, case.kind, self._place],
            env={**os.environ, "TMPDIR": str(tools)},  # which is removed when all is measured
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: pinned(0),  # noqa: PLW1509 - there are no threads here
        )
        self.up = self._listens()

    def _listens(self) -> bool:
        """Wait until the server listens; return false if it ended instead."""
        until = time.monotonic() + 20
        while time.monotonic() < until and self._process.poll() is None:
            if "/" in self._place:
                # The flags of each socket stand before its path; this one says that it listens.
                if re.search(rf" 00010000 .* {self._place}$", Path("/proc/net/unix").read_text(), re.MULTILINE):
                    return True
            elif f":{int(self._place):04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text():
                return True
            time.sleep(0.05)
        return False

    def _cpu(self) -> int:
        """Return the nanoseconds that all threads of the server have been on a core."""
        tasks = [task for pid in tree(self._process.pid) for task in Path(f"/proc/{pid}/task").iterdir()]
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def _memory(self) -> int:
        """Return the bytes of memory that the server has to itself, and its part of what is shared."""
        rollup = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        return int(found[1]) * 1024 if found else 0

    def warm(self, load: list[str]) -> None:
        """Let the load run until the server has answered: some import what they need when the first client is there."""
        for _ in range(20):
            if self.drive(load, 0.2, patient=True):
                return

    def drive(self, load: list[str], seconds: float, *, patient: bool = False) -> float:
        """Let the load run for *seconds*; return what one operation cost, as the case's unit says.

        If the server has done nothing, the program ends; with *patient*, 0 is returned.
        """
        memory = self._memory()
        client = subprocess.Popen(
            [
                str(self._tools / "load"),
                *load,
                "-p",
                self._place,
                "-t",
                str(seconds),
                "-w",
                str(min(0.5, seconds / 4)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: pinned(1),  # noqa: PLW1509 - nor here
        )
        assert client.stdin
        assert client.stdout
        began = ended = 0
        done: dict[str, float] = {}
        for line in client.stdout:
            match line.strip():
                case "BEGIN":
                    began = self._cpu()
                case "END":
                    ended = self._cpu()
                case "OPEN":
                    memory = self._memory() - memory
                    client.stdin.write("\n")
                    client.stdin.flush()
                case words:
                    done = json.loads(words)
        client.stdin.close()
        if not client.wait() and patient and not done.get("done"):
            return 0
        if client.returncode or not done.get("done"):
            sys.exit(f"the load failed: {load} at {self._place}")
        return memory / done["done"] if load[0] == "idle" else (ended - began) / 1000 / done["done"]

    def stop(self) -> None:
        """End the server."""
        if self._process.poll() is None:
            for pid in reversed(tree(self._process.pid)):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
