"""Child processes: `spawning.py IMPLEMENTATION` prints one JSON object, microseconds for each of 1,000 runs of `true`.

IMPLEMENTATION: torsion, twisted.

one by one      the next is started when the one before has ended: time that passes
16 at a time    16 are running at all times: time that passes
all at once     1,000 are started, then waited for: time that passes
CPU             the parent's own time for each, in the same run
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from importlib import import_module
from typing import Any

COUNT = 1000
PROGRAM = shutil.which("true") or "/bin/true"


def cpu() -> float:
    """Return how many seconds of CPU time this process has used, without its children."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(package: str, at_a_time: int) -> tuple[float, float]:
    """Return the time that passed and the CPU time, in microseconds for each process."""
    reactor: Any = import_module(f"{package}.internet.reactor")
    protocol = import_module(f"{package}.internet.protocol")
    started = ended = 0

    class Child(protocol.ProcessProtocol):  # type: ignore[misc, name-defined]
        def processEnded(self, reason: Any) -> None:
            nonlocal ended
            ended += 1
            if ended == COUNT:
                reactor.crash()  # which Twisted's reactor survives
            else:
                start()

    def start() -> None:
        nonlocal started
        if started < COUNT:
            started += 1
            reactor.spawnProcess(Child(), PROGRAM, ["true"])

    def begin() -> None:
        for _ in range(at_a_time):
            start()

    reactor.callWhenRunning(begin)
    before, used = time.perf_counter(), cpu()
    reactor.run()
    return (time.perf_counter() - before) / COUNT * 1e6, (cpu() - used) / COUNT * 1e6


if __name__ == "__main__":
    # Each in an interpreter of its own, as a reactor of Twisted's cannot be run twice.
    if len(sys.argv) > 2:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        import subprocess

        figures: dict[str, float] = {}
        for name, at_a_time in (("one by one", 1), ("16 at a time", 16), ("all at once", COUNT)):
            command = [sys.executable, __file__, sys.argv[1], str(at_a_time)]
            run = subprocess.run(command, capture_output=True, text=True, check=True)
            figures[name], figures[f"{name}, CPU"] = json.loads(run.stdout)
        print(json.dumps(figures))
