"""Completion of the command in shells, as they ask for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from operating.command import COMMAND, run


@pytest.fixture
def command(tmp_path):
    """The environment with a command called ``torsion`` on the path."""
    script = tmp_path / "torsion"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m torsion "$@"\n')
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["e"], {"echo"}),
        (["completion", ""], {"bash", "fish", "zsh"}),
        (["--log-format", ""], {"json", "text"}),
        (["--log-l"], {"--log-level"}),
        (["--daemon", "echo", "--li"], {"--listen"}),
        (["echo", "--listen", "t"], {"tcp:"}),
        (["web", "--max"], {"--max-body"}),
        (["web", "--listen", "t"], {"tcp:", "tls:"}),
        (["web", "--log-format", ""], {"combined", "json", "proxied"}),
    ],
    ids=" ".join,
)
def test_bash(command, words, expected, tmp_path):
    script = tmp_path / "completion.bash"
    script.write_text(run("completion", "bash").out)
    asked = (
        f'source {script}; COMP_WORDS=(torsion "$@"); COMP_CWORD=$#; _torsion_complete; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", asked, "bash", *words],
        env=command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert set(done.stdout.split()) == expected
    assert done.stderr == ""
    assert not (tmp_path / "torsion.pid").exists(), "to ask must not start anything"


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_scripts_are_of_their_shell(shell):
    done = run("completion", shell)
    assert done.process.returncode == 0
    assert "torsion" in done.out
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n"], input=done.out, text=True, check=True, timeout=30)


def test_the_answers_for_zsh_and_fish():
    for shell, expected in (("zsh", "--log-level"), ("fish", "echo")):
        done = subprocess.run([*COMMAND, "", "--_shell-completion", f"{shell}:2"], capture_output=True, text=True, check=True, timeout=30)  # fmt: skip
        assert expected in done.stdout
        assert done.stderr == ""
