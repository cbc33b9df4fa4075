"""What starting costs: `importing.py IMPLEMENTATION` prints one JSON object, CPU milliseconds of a whole interpreter.

Each figure is the least of some runs: what else the machine does can only add to it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys

STATEMENTS = {
    "torsion": "from torsion.internet import reactor",
    "twisted": "from twisted.internet import reactor",
    "asyncio": "import asyncio; asyncio.new_event_loop()",
    "uvloop": "import uvloop; uvloop.new_event_loop()",
}


def cpu(statement: str) -> float:
    """Return the CPU time, in milliseconds, of an interpreter that does *statement*."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


if __name__ == "__main__":
    implementation = sys.argv[1]
    cpu(STATEMENTS[implementation])  # writes the .pyc files
    print(
        json.dumps(
            {
                "import": min(cpu(STATEMENTS[implementation]) for _ in range(5)),
                "python alone": min(cpu("") for _ in range(5)),
            }
        )
    )
