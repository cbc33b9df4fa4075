"""What a LineReceiver costs by itself: `lines.py [--impl A,B] [--rounds N] [--json]`, CPU nanoseconds for each line.

The transport does nothing, so this is the work between `dataReceived` and `lineReceived`, and that of `sendLine`.  Lines have 62 bytes and
their delimiter.  Implementations (torsion, twisted) take turns in one process; the medians of the rounds are shown.

pass N       N whole lines in each `dataReceived`, and a `lineReceived` that does nothing
echo N       the same, and a `lineReceived` that sends the line back
cut N        as pass, but the data is cut in the middle of a line
raw          a line, then ten raw bytes, then a line …: 100 of each in one `dataReceived`
paused       pauses after each line and goes on: 200 lines in one `dataReceived`
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

LINE = b"x" * 62 + b"\r\n"
EACH = 0.02  # seconds for one figure of one round


class Transport:
    """Takes everything and does nothing."""

    disconnecting = False

    def write(self, data: bytes) -> None:
        pass

    def writeSequence(self, data: list[bytes]) -> None:
        pass

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass


def receivers(base: Any) -> dict[str, type]:
    """Return the kinds of receivers, made from *base*."""

    class Pass(base):
        def lineReceived(self, line: bytes) -> None:
            pass

    class Echo(base):
        def lineReceived(self, line: bytes) -> None:
            self.sendLine(line)

    class Raw(base):
        def lineReceived(self, line: bytes) -> None:
            self.setRawMode()

        def rawDataReceived(self, data: bytes) -> None:
            self.setLineMode(data[10:])

    class Pausing(base):
        def lineReceived(self, line: bytes) -> None:
            self.pauseProducing()

    return {"pass": Pass, "echo": Echo, "cut": Pass, "raw": Raw, "paused": Pausing}


def case(kinds: dict[str, type], name: str) -> tuple[Callable[[], object], int]:
    """Return what is measured, and how many lines it takes in."""
    kind, _, number = name.partition(" ")
    protocol = kinds[kind]()
    protocol.makeConnection(Transport())
    feed = protocol.dataReceived
    if kind == "raw":
        data = (LINE + b"0123456789") * 100
        return lambda: feed(data), 100
    if kind == "paused":
        data = LINE * 200

        def pump() -> None:
            feed(data)
            for _ in range(200):
                protocol.resumeProducing()

        return pump, 200
    count = int(number)
    data = LINE * count
    if kind == "cut":
        data = data[10:] + data[:10]
        feed(LINE[:10])
    return lambda: feed(data), count


CASES = ["pass 1", "pass 16", "pass 1600", "echo 1", "echo 16", "cut 16", "cut 1600", "raw", "paused"]


def measure(work: Callable[[], object], lines: int) -> float:
    """Return the nanoseconds for a line."""
    turns = 0
    began = time.process_time_ns()
    until = began + int(EACH * 1e9)
    while (now := time.process_time_ns()) < until:
        for _ in range(max(1, 2000 // lines)):
            work()
        turns += max(1, 2000 // lines)
    return (now - began) / turns / lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--impl", default="torsion,twisted")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = [name for name in options.impl.split(",") if find_spec(name)]
    kinds = {name: receivers(import_module(f"{name}.protocols.basic").LineReceiver) for name in found}
    figures: dict[str, dict[str, float]] = {}
    for name in CASES:
        works = {impl: case(kinds[impl], name) for impl in found}
        rounds = [{impl: measure(*works[impl]) for impl in found} for _ in range(options.rounds)]
        figures[name] = {impl: statistics.median(each[impl] for each in rounds) for impl in found}
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{'CPU ns for a line':20}" + "".join(f"{impl:>10}" for impl in found))
    for name, each in figures.items():
        ratio = f"{each[found[1]] / each[found[0]]:9.2f} x" if len(found) == 2 else ""
        print(f"{name:20}" + "".join(f"{each[impl]:10.0f}" for impl in found) + ratio)


if __name__ == "__main__":
    main()
