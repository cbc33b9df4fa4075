"""A minute part of the soak (``benches/python/soak.py``, which takes ten minutes): nothing is left over when all are gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")]

SOAK = Path(__file__).parents[3] / "benches" / "python" / "soak.py"


@pytest.mark.parametrize("under", ["twisted-torsion", "torsion"])
def test_everything_is_back_where_it_began(under) -> None:
    if under != "torsion":
        pytest.importorskip("twisted.internet", reason="needs Twisted, of the dependency group 'interop'")
    pytest.importorskip("OpenSSL")
    run = subprocess.run(
        [
            sys.executable,
            SOAK,
            "--under",
            under,
            "--seconds",
            "0.5",
            "--warm",
            "0.3",
            "--connections",
            "60",
            "--pace",
            "0.1",
        ],
        capture_output=True,
        check=False,
        timeout=50,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    report = json.loads(run.stdout)
    assert (report["left"], report["wrong"], report["failed"]) == ({}, [], 0), run.stderr.decode()
    assert run.returncode == 0
    assert report["opened"] > 100
    assert set(report["lives"]) >= {"plain H", "plain R", "plain B", "secure T"}
