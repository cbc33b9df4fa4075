"""What shells are told; bash, which is there, is asked for real."""

# ruff: noqa: RUF012 - options are declared as the documentation shows it

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from torsion.python import usage
from torsion.python.usage._completion import complete as complete_in_process
from torsion.python.usage._described import options_of

SHELLS = ["zsh", "bash", "fish"]
COMPLETERS = [
    usage.Completer,
    usage.CompleteFiles,
    usage.CompleteDirs,
    usage.CompleteUsernames,
    usage.CompleteGroups,
    usage.CompleteHostnames,
    usage.CompleteUserAtHost,
    usage.CompleteNetInterfaces,
    lambda: usage.CompleteList(["a", "b"]),
    lambda: usage.CompleteMultiList(["a", "b"]),
]


class Sub(usage.Options):
    optFlags = [["deep", "d", "Go deep."]]
    compData = usage.Completions(
        extraActions=[usage.CompleteList(["one", "two"]), usage.CompleteList(["three"], repeat=True)]
    )


class Program(usage.Options):
    optFlags = [["red", "r", "Red's [colour]: red."], ["green", "g"], ["more", "m", "Again."]]
    optParameters = [["level", "l", None, "The level"], ["file", None, None, "A file"], ["tags", None, None, "Tags"]]
    subCommands = [["sub", "s", Sub, "A sub-command"], ["other", None, Sub, ""]]
    compData = usage.Completions(
        descriptions={"level": "How much"},
        multiUse=["more"],
        mutuallyExclusive=[["red", "green"]],
        optActions={
            "level": lambda: usage.CompleteList(["low", "high"]),
            "tags": usage.CompleteMultiList(["x1", "x2", "y"]),
        },
    )


def answer(capsys, *words, options=Program, place=None, shell="zsh"):
    place = len(words) + 1 if place is None else place
    with pytest.raises(SystemExit) as caught:
        options().parseOptions([*words, "--_shell-completion", f"{shell}:{place}"])
    assert caught.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("completer", COMPLETERS)
def test_every_completer_speaks_every_shell(completer, shell):
    assert isinstance(completer()._shellCode("name", shell), str)


@pytest.mark.parametrize("completer", COMPLETERS)
def test_other_shells_are_refused(completer):
    with pytest.raises(NotImplementedError, match="csh"):
        completer()._shellCode("name", "csh")


def test_what_is_described_adds_up_over_bases():
    class More(Program):
        optFlags = [["blue", "b", "Blue."]]
        compData = usage.Completions(descriptions={"blue": "Azure"}, mutuallyExclusive=[["blue", "red"]])

    described = {option.name: option for option in options_of(More())}
    assert described["blue"].description == "Azure"
    assert described["level"].description == "How much"
    assert described["level"].spellings == ("-l", "--level")
    assert described["green"].description == "green"
    assert described["more"].repeats
    assert described["red"].excludes == {"-g", "--green", "-b", "--blue"}
    assert described["red"].completer is None
    assert isinstance(described["file"].completer, usage.CompleteFiles)


@pytest.mark.parametrize(
    "data",
    [
        {"descriptions": {"nothing": ""}},
        {"optActions": {"nothing": None}},
        {"multiUse": ["nothing"]},
        {"mutuallyExclusive": [["nothing", "red"]]},
    ],
)
def test_data_about_options_that_are_not_there(data):
    class Wrong(Program):
        compData = usage.Completions(**data)

    with pytest.raises(ValueError, match="nothing"):
        options_of(Wrong())


# --- zsh --------------------------------------------------------------------------------------------------------------


def test_zsh_is_given_one_call(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/bin/prog"])
    lines = answer(capsys, "").splitlines()
    assert lines[0] == "#compdef prog"
    assert "'*::subcmd:->subcmd' \\" in lines
    assert "'(--green --red -g)-r[Red'\"'\"'s \\[colour\\]\\: red.]' \\" in lines
    assert "'(-l)--level=[How much]:level:(low high)' \\" in lines
    assert "'*--more[Again.]' \\" in lines
    assert lines[-1] == '_describe "sub-command" _zsh_subcmds_array'
    assert "_zsh_subcmds_array=('sub:A sub-command' 'other:other')" in lines


def test_zsh_looks_at_a_sub_command_alone(capsys):
    text = answer(capsys, "--red", "sub", "")
    assert "(( CURRENT -= 2 ))" in text
    assert "--deep" in text
    assert "--red" not in text
    assert "'::(one two)' \\\n'*::(three)' \\\n" in text


@pytest.mark.parametrize("words", [["--unknown", "sub", ""], ["nonsense", ""], ["--level"]])
@pytest.mark.parametrize("shell", SHELLS)
def test_a_line_that_cannot_be_parsed_is_completed_all_the_same(capsys, words, shell):
    assert answer(capsys, *words, shell=shell).startswith("#comp")


def test_another_shell_is_refused():
    with pytest.raises(NotImplementedError, match="tcsh"):
        Program().parseOptions(["--_shell-completion", "x", "--_shell-completion", "tcsh:1"])
    with pytest.raises(NotImplementedError, match="tcsh"):
        usage.completionScript("tcsh", "prog")
    with pytest.raises(ValueError, match="name the commands"):
        usage.completionScript("bash")


# --- fish -------------------------------------------------------------------------------------------------------------


def test_fish_is_given_words_with_descriptions(capsys):
    assert "printf '%s\\t%s\\n' 'sub' 'A sub-command'" in answer(capsys, "", shell="fish")
    assert "printf '%s\\t%s\\n' '--red' 'Red\\'s [colour]: red.'" in answer(capsys, "--r", shell="fish")
    assert "'low' 'high'" in answer(capsys, "--level", "", shell="fish")
    assert "__fish_complete_path" in answer(capsys, "--file", "", shell="fish")
    assert "complete -c 'prog' -f -a '(__prog_complete)'" in usage.completionScript("fish", "prog")


def test_zsh_s_stub():
    assert usage.completionScript("zsh", "one", "two").startswith("#compdef one two\n")


# --- bash -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def bash(tmp_path):
    """Return a function that gives what bash offers after some words, in a folder with a file and a folder."""
    found = shutil.which("bash")
    if found is None:
        pytest.skip("bash is not installed")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder").mkdir()

    def run(script):
        ended = subprocess.run([found, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert ended.stderr == ""
        return set(ended.stdout.split())

    def complete(*words):
        code = complete_in_process(Program(), words, f"bash:{len(words) + 1}")
        return run(f'f() {{ {code}\n}}; f; printf "%s\\n" "${{COMPREPLY[@]}}"')

    complete.run = run
    complete.folder = tmp_path
    return complete


def test_bash_asks_the_program(bash):
    program = bash.folder / "prog"
    program.write_text(
        f"#!{sys.executable}\n"
        "from torsion.python import usage\n"
        "class Program(usage.Options):\n"
        "    optFlags = [['find-me', 'f']]\n"
        "Program().parseOptions()\n"
    )
    program.chmod(0o755)
    script = usage.completionScript("bash", "./prog")
    script += "COMP_WORDS=(./prog --fi); COMP_CWORD=1\n___prog_complete\n"
    assert bash.run(script + 'printf "%s\\n" "${COMPREPLY[@]}"') == {"--find-me"}


def test_bash_completes(bash):
    assert bash("") == {"sub", "other"}
    assert bash("--le") == {"--level"}
    assert bash("--red", "s") == {"sub"}
    assert bash("--level", "") == {"low", "high"}
    assert bash("--level", "=", "l") == {"low"}
    assert bash("-l", "h") == {"high"}
    assert bash("--tags", "x1,x") == {"x1,x1", "x1,x2"}
    assert bash("--file", "n") == {"notes.txt"}
    assert bash("--file", "f") == {"folder", "folder/"}


def test_bash_completes_a_sub_command_s_arguments(bash):
    assert bash("sub", "-") == {"-d", "--deep", "--help", "--version"}
    assert bash("--red", "s", "") == {"one", "two"}
    assert bash("sub", "one", "") == {"three"}
    assert bash("sub", "one", "three", "") == {"three"}
