"""Pictures in the documents are what their scripts draw."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from house.tree import ROOT, shown

SCRIPTS = [path for path in sorted((ROOT / "docs").rglob("*.py")) if path.with_suffix(".svg").exists()]


@pytest.mark.parametrize("path", SCRIPTS, ids=shown)
def test_a_picture_is_what_its_script_draws(path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(path), "--check"], capture_output=True, text=True, check=False, timeout=50
    )
    assert ran.returncode == 0, ran.stderr
    ET.fromstring(path.with_suffix(".svg").read_text(encoding="utf-8"))


def test_there_are_some() -> None:
    assert [path.name for path in SCRIPTS] == ["chains.py"]
