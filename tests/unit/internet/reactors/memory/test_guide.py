"""What the guide says is so."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).parents[5] / "docs" / "simulation.md"


def test_the_example_prints_what_is_said(capsys):
    text = GUIDE.read_text(encoding="utf-8")
    [code] = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    [said] = re.findall(r"This prints `([^`]*)`", text)
    exec(code, {})
    assert capsys.readouterr().out == f"{said}\n"
