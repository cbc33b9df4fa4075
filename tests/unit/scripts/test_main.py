"""The command ``torsion`` within this process; what it does in a process of its own is tried in tests/operating."""

from __future__ import annotations

import pytest

import torsion
from torsion.__main__ import main


def test_main_returns_the_status(capsys):
    assert main(["dance"]) == 2
    assert "dance" in capsys.readouterr().err


def test_its_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"torsion {torsion.__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["echo", "--help"], ["chat", "--help"], ["port", "--help"]])
def test_its_help(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert "Usage: torsion" in capsys.readouterr().out


def test_the_list_of_reactors(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help-reactors"])
    assert ended.value.code == 0
    said = capsys.readouterr().out.splitlines()
    assert any(line.startswith("native ") and "  yes  torsion's own loop" in line for line in said)
    assert any(line.startswith("hosted-asyncio ") for line in said)
