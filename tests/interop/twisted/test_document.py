"""The examples of docs/twisted.md work together, in the order in which they stand there."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from house.tree import ROOT

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]

END = """
ours.callLater(0, ours.callLater, 0, theirs.stop)
theirs.run()
said = turn_seconds.exposition().splitlines()
assert turn_seconds.sum > 0 and said[-1] == "reactor_turn_seconds_count " + said[-3].split()[-1], said
print("good")
"""


def test_the_examples_work() -> None:
    text = (ROOT / "docs" / "twisted.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    script = "observer = print\n" + "".join(blocks) + END
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert done.stdout == "good\n", done.stdout + done.stderr
