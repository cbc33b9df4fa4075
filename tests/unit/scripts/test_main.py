"""The command ``torsion`` within this process; what it does in a process of its own is tried in tests/operating."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import torsion
from torsion.__main__ import main
from torsion.scripts.command import Command
from torsion.scripts.tools import TOOLS


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


ECHO = ("echo", "--listen", "tcp:0:interface=127.0.0.1")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["eco"], "torsion: there is no command 'eco'; did you mean echo?"),
        (["--grase", "1", "echo"], "torsion: there is no option --grase; did you mean --grace?"),
        (["echo", "--lisen", "x"], "torsion echo: there is no option --lisen; did you mean --listen?"),
        (["-y"], "torsion: option -y requires argument"),
        (["echo"], "torsion echo: say where to listen: --listen ENDPOINT"),
        (["echo", "--listen", "tcp:70000"], "70000"),
        (["echo", "--listen", "tpc:80"], "; did you mean tcp?"),
        (["echo", "--listen", "tcp:80:interfaxe=x"], "; did you mean interface?"),
        (["-r", "tea", *ECHO], "there is no reactor called 'tea'; there are: "),
        (["--log-level", "loud", *ECHO], "there is no log level 'loud'; there are: debug, info"),
        (["--log-format", "xml", *ECHO], "there is no log format 'xml'; there are: text, json"),
        (["--umask", "9", *ECHO], "'9' is no umask"),
        (["-u", "nobody-at-all", *ECHO], "there is no user 'nobody-at-all' here"),
        (["-g", "-1", *ECHO], "negative"),
        (["--daemon", "-n", *ECHO], "contradict each other"),
        (["--daemon", "-l", "-", *ECHO], "name a file with --logfile"),
        (["--syslog", "-l", "x", *ECHO], "contradict each other"),
        (["portforward", "-p", "0"], "say where to connect to"),
        (["-y", "x", *ECHO], "-y runs a file in place of a COMMAND"),
        (["completion", "tcsh"], "there is no completion for the shell 'tcsh'"),
    ],
    ids=lambda value: value[0] + value[1] if isinstance(value, list) and len(value) > 1 else None,
)
def test_arguments(arguments, line, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert line in said.err
    assert said.err.startswith("torsion")
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_without_arguments_it_tells_what_there_is(capsys):
    assert main([]) == 2
    assert re.search(r"say what to run: .* COMMAND of .*chat, .*echo, .*port", capsys.readouterr().err)


def test_help_loads_nothing_heavy():
    """Every start of the command does what ``--help`` does, and more."""
    script = "import sys\nfrom torsion.__main__ import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    loaded = set(run.stdout.splitlines()[-1].split())
    assert "torsion.plugins.torsion_echo" in loaded, "it is asked what it is called"
    heavy = {"asyncio", "cryptography", "http", "logging", "rich", "ssl", "subprocess", "twisted", "watchfiles"}
    assert heavy & loaded == set()
    assert [name for name in loaded if name.startswith(("torsion.tap.", "torsion.internet.reactors.native"))] == []


def test_every_option_is_in_the_documentation():
    text = (Path(__file__).parents[3] / "docs" / "command.md").read_text(encoding="utf-8")
    named = set(re.findall(r"--([\w-]+)", text))
    assert set(Command().docs) - named - {"help", "version", "log-file"} == set()


def test_every_tool_is_in_the_documentation():
    text = (Path(__file__).parents[3] / "docs" / "command.md").read_text(encoding="utf-8")
    assert [name for name in TOOLS if f"`{name}" not in text] == []
