"""The command ``torsion`` within this process; what it does in a process of its own is tried in tests/operating."""

from __future__ import annotations

import re
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


def test_every_option_is_in_the_documentation():
    text = (Path(__file__).parents[3] / "docs" / "command.md").read_text(encoding="utf-8")
    named = set(re.findall(r"--([\w-]+)", text))
    assert set(Command().docs) - named - {"help", "version", "log-file"} == set()


def test_every_tool_is_in_the_documentation():
    text = (Path(__file__).parents[3] / "docs" / "command.md").read_text(encoding="utf-8")
    assert [name for name in TOOLS if f"`{name}" not in text] == []
