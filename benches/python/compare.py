"""Compare torsion with its peers: `compare.py [WORK...] [--rounds N] [--seconds S] [--peers A,B] [--json FILE]`.

WORK: echo unix sink churn lines idle web timers deferred log import spawn tls-idle web-idle interop (all of them, unless some are named).

Peers are measured in turns, A B C A B C, so that what else the machine does meets all of them; medians are shown.  The figure is CPU
time for each operation, of the whole process, not operations per second: that would tell who else was running.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from served import Case, Served, build

HERE = Path(__file__).parent

CASES = {
    "echo": [
        Case("echo 1 KiB x64", "echo", ["echo", "-s", "1024", "-c", "64"]),
        Case("echo 1 KiB x512", "echo", ["echo", "-s", "1024", "-c", "512"]),
        Case("echo 64 KiB x64", "echo", ["echo", "-s", "65536", "-c", "64"]),
    ],
    "unix": [Case("Unix echo 1 KiB x64", "echo", ["echo", "-s", "1024", "-c", "64"], unix=True)],
    "sink": [Case("sink 256 KiB x16", "sink", ["sink", "-s", "262144", "-c", "16"])],
    "churn": [
        Case("accept, close x16", "close", ["accept", "-c", "16"]),
        Case("connect, echo, close x16", "echo", ["visit", "-c", "16"]),
    ],
    "lines": [
        Case("lines 64 B x64", "lines", ["echo", "-s", "64", "-c", "64"]),
        Case("lines 64 B x64, 16 in flight", "lines", ["echo", "-s", "64", "-c", "64", "-d", "16"]),
    ],
    "idle": [Case("10,000 idle connections", "echo", ["idle", "-c", "10000"])],
    "web": [
        Case(f"web: {name}", kind, ["http", *load], program="websites.py")
        for name, kind, load in (
            ("hello x64", "hello", ["-c", "64"]),
            ("hello x64, 16 in flight", "hello", ["-c", "64", "-d", "16"]),
            ("hello by ASGI x64", "asgi", ["-c", "64"]),
            ("file of 100 KiB x32", "static", ["-c", "32", "-u", "/file"]),
            ("POST of 64 KiB x32", "post", ["-c", "32", "-b", "65536"]),
        )
    ],
}
WEB = {"torsion", "hosted", "twisted", "uvicorn", "granian", "nginx"}
EVERYONE = {"torsion", "uvloop", "asyncio", "twisted"}
SCRIPTS = {
    "timers": ("timers.py", "CPU ns", EVERYONE),
    "deferred": ("deferred.py", "CPU ns", EVERYONE),
    "log": ("logevents.py", "CPU ns", {"torsion", "twisted"}),
    "import": ("importing.py", "CPU ms", EVERYONE),
    "spawn": ("spawning.py", "us", {"torsion", "twisted"}),
    "tls-idle": ("idletls.py", "bytes", {"torsion", "twisted"}),
    "web-idle": ("idlehttp.py", "as it says", {"torsion", "twisted", "uvicorn"}),
    "interop": ("underneath.py", "CPU us", {"interop", "twisted"}),
}

PEERS = ["limit", "torsion", "interop", "uvloop", "asyncio", "twisted", "hosted", "uvicorn", "granian", "nginx"]


def installed(peer: str) -> bool:
    """Return whether *peer* can be measured here."""
    if peer == "nginx":
        return bool(shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"))
    needs = {"interop": "twisted", "hosted": "uvloop"}
    return peer == "limit" or find_spec(needs.get(peer, peer)) is not None


def run_served(case: Case, peers: list[str], rounds: int, seconds: float, tools: Path) -> dict[str, list[float]]:
    """Return the figures of each peer that serves *case*."""
    of_the_web = case.program == "websites.py"
    peers = [peer for peer in peers if (peer in WEB if of_the_web else peer not in WEB - EVERYONE)]
    if case.unix:
        peers = [peer for peer in peers if peer != "limit"]  # which has TCP only
    figures: dict[str, list[float]] = {}
    fresh = case.load[0] == "idle"  # memory that was freed is used again: each round needs a new server
    servers: dict[str, Served] = {}
    try:
        for _ in range(rounds):
            for peer in peers:
                if fresh or peer not in servers:
                    servers[peer] = Served(peer, case, tools)
                    if servers[peer].up and not fresh:
                        servers[peer].warm(case.load)  # the interpreter and the allocator
                if servers[peer].up:
                    figures.setdefault(peer, []).append(servers[peer].drive(case.load, seconds))
                if fresh:
                    servers.pop(peer).stop()
    finally:
        for server in servers.values():
            server.stop()
    return figures


def run_script(script: Path, peers: list[str], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return the figures of each peer for each metric of *script*."""
    figures: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for peer in peers:
            run = subprocess.run([sys.executable, str(script), peer], capture_output=True, text=True, check=False)
            if run.returncode:
                print(f"{script.name} {peer}: {run.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                continue
            for metric, figure in json.loads(run.stdout.splitlines()[-1]).items():
                figures.setdefault(metric, {}).setdefault(peer, []).append(figure)
    return figures


def show(name: str, unit: str, figures: dict[str, list[float]]) -> dict[str, float]:
    """Print and return the medians, each with how many times more it is than torsion's: its own, or stock Twisted's on its reactor."""
    medians = {peer: statistics.median(found) for peer, found in figures.items()}
    mine = next((peer for peer in ("torsion", "interop") if peer in medians), "")
    own = medians.get(mine)
    print(f"\n{name}, {unit}")
    for peer, median in medians.items():
        spread = f"{min(figures[peer]):,.1f}..{max(figures[peer]):,.1f}"
        ratio = f"{mine} is {median / own:6.2f} x" if own and peer != mine else ""
        print(f"  {peer:8} {median:12,.1f}   {spread:28} {ratio}")
    return medians


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("work", nargs="*", help=f"any of {' '.join([*CASES, *SCRIPTS])}")
    parser.add_argument("--rounds", type=int, default=5, help="how often each peer has its turn")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a load lasts")
    parser.add_argument(
        "--peers", default=",".join(PEERS), help=f"of {','.join(PEERS)}; what is not installed is left out"
    )
    parser.add_argument("--json", type=Path, help="where to write all figures")
    asked = parser.parse_args()
    if unknown := set(asked.work) - {*CASES, *SCRIPTS}:
        parser.error(f"no such work: {' '.join(unknown)}")
    return asked


def main() -> None:
    """Measure and print."""
    asked = arguments()
    work = asked.work or [*CASES, *SCRIPTS]
    peers = [peer for peer in asked.peers.split(",") if installed(peer)]
    everything: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        tools = build(Path(folder)) if set(work) & set(CASES) else Path(folder)
        for name in work:
            for case in CASES.get(name, []):
                everything[case.name] = run_served(case, peers, asked.rounds, asked.seconds, tools)
                show(case.name, case.unit, everything[case.name])
            if name in SCRIPTS:
                script, unit, able = SCRIPTS[name]
                programs = [peer for peer in peers if peer in able]
                for metric, figures in run_script(HERE / script, programs, asked.rounds).items():
                    everything[f"{name}: {metric}"] = figures
                    show(f"{name}: {metric}", unit, figures)
    if asked.json:
        asked.json.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
