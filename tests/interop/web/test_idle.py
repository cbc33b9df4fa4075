"""10,000 idle keep-alive connections: little memory, no work, and answers at once beside them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[3] / "benches" / "python" / "idlehttp.py"
COUNT = 10_000


def enough_descriptors() -> bool:
    if sys.platform != "linux":
        return False
    import resource

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return most == resource.RLIM_INFINITY or most > COUNT + 200


@pytest.mark.skipif(not enough_descriptors(), reason="needs Linux, for /proc, and ten thousand descriptors")
def test_ten_thousand() -> None:
    command = [sys.executable, str(BENCH), "torsion", "--count", str(COUNT), "--seconds", "0.6"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    memory, busy, wait = json.loads(done.stdout).values()
    assert memory < 4_000  # bytes; it takes half of that
    assert busy < 50  # ms of CPU time in a second; it takes none, and a tick for each connection would take more
    assert wait < 50  # ms; it takes less than one
