"""The page docs/reactors.md: its program runs, and its table is complete."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from house.tree import ROOT
from torsion.internet.reactors.flavours import FLAVOURS

PAGE = (ROOT / "docs" / "reactors.md").read_text(encoding="utf-8")


def test_the_table_has_all_flavours():
    assert re.findall(r"^\| `([\w-]+)` \|", PAGE, re.MULTILINE) == list(FLAVOURS)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no descriptor that another loop could watch")
def test_the_program_runs():
    [program] = [
        code for code in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if "asyncio.run(" in code
    ]
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.stdout, done.stderr) == ("('slept', 'rested')\n", "")


@pytest.mark.parametrize("what", ["reactor.connections(port)", "SlowCallbacks("])
def test_what_tells_of_a_reactor_runs(what):
    [program] = [code for code in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if what in code]
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
