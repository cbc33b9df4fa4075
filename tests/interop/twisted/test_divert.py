"""TLS that Twisted's own layer starts on native connections: the same scenes, under both reactors, tell both ends the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)
pytest.importorskip("OpenSSL")

from contract.test_tls import pem
from interop.twisted import tls_scenes

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]

HERE = Path(__file__)
ORACLE = "twisted.internet.epollreactor" if sys.platform == "linux" else "twisted.internet.pollreactor"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Both processes' answers: what the ends of each scene were told."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(pem())
    running = [
        subprocess.Popen(
            [sys.executable, HERE.with_name("tls_scenes.py"), reactor, path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for reactor in (ORACLE, "torsion.interop.twisted")
    ]
    answers = []
    for process in running:
        out, err = process.communicate(timeout=100)
        assert process.returncode == 0, err.decode()
        answers.append(json.loads(out))
    return answers


@pytest.mark.parametrize("scene", tls_scenes.SCENES)
def test_scenes_are_told_as_under_twisteds_reactor(told, scene) -> None:
    twisteds, ours = (each[scene] for each in told)
    assert ours == twisteds
    assert "hangs" not in str(ours)
    assert set(ours) == {"server", "client"}, ours
