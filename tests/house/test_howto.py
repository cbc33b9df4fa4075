"""The guides in docs/howto do what they say: their code runs, block after block, and prints what stands below it.

What follows ``<!-- file: name -->`` is written to that file instead. Blocks of ``console`` have commands after ``$``, with what they print.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from house.tree import ROOT

GUIDES = sorted((ROOT / "docs" / "howto").glob("*.md"))
BLOCK = re.compile(r"^(?:<!-- file: (\S+) -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITE = """
import importlib, pathlib
path = pathlib.Path({name!r})
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text({content!r}, encoding="utf-8")
importlib.invalidate_caches()
"""
CONSOLE = """
import subprocess
for command in {commands!r}:
    ran = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(ran.stdout, end="")
"""

# The plugin is found by itself where torsion was installed, and not where its source is on the path.
PYTEST = "-p torsion.pytest_plugin -p no:cacheprovider -p no:asyncio -p no:anyio"

# With these in the environment pytest says everything at full length.
VERBOSE = {"CI", "BUILD_NUMBER"}

# Runs the blocks of its standard input, with one set of names, and prints a line between what each prints.
RUNNER = """
import json, sys
names = {"__name__": "__main__"}
for number, code in enumerate(json.load(sys.stdin)):
    exec(compile(code, f"block {number}", "exec", dont_inherit=True), names)
    sys.__stdout__.write("\\x1e\\n")
"""


def steps(path: Path) -> list[tuple[str, str]]:
    """Return the blocks of Python in a guide, each with the text that stands right below it: what it prints."""
    found: list[tuple[str, str]] = []
    end = -1
    text = path.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        file, language, content = match.groups()
        if file:
            found.append((WRITE.format(name=file, content=content), ""))
        elif language == "console":
            commands = re.findall(r"^\$ (.*)$", content, re.MULTILINE)
            shown = "".join(line for line in content.splitlines(keepends=True) if not line.startswith("$ "))
            found.append((CONSOLE.format(commands=commands), shown))
        elif language == "python":
            found.append((content, ""))
        elif language == "text" and match.start() == end:
            found[-1] = (found[-1][0], content)
        end = match.end() + 1
    return found


def is_shown(expected: str, printed: str) -> bool:
    """Return whether the text is as it is shown; a line of nothing but dots stands for any lines, and an ellipsis (the one character) for any
    part of a line; blank lines do not count."""
    lines = [line.rstrip() for line in expected.splitlines() if line.strip()]
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line).replace("…", ".*") + "\n" for line in lines
    )
    return (
        re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in printed.splitlines() if line.strip()))
        is not None
    )


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_the_code_of_a_guide_runs_and_prints_what_it_shows(path: Path, tmp_path: Path) -> None:
    import json

    blocks = steps(path)
    assert blocks, "a guide without code"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUNNER],
        input=json.dumps([code for code, _ in blocks]),
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name not in VERBOSE}
        | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "COLUMNS": "80",
            "PYTEST_ADDOPTS": PYTEST,
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    *printed, rest = run.stdout.split("\x1e\n")
    assert len(printed) == len(blocks)
    assert rest == ""
    for (code, expected), output in zip(blocks, printed, strict=True):
        assert is_shown(expected, output), f"{code}\nprints\n{output}\nand not\n{expected}"


def test_dots_stand_for_lines() -> None:
    assert is_shown("a\n...\nd\n", "a\nb\nc\nd\n")
    assert is_shown("a\n", "a\n")
    assert is_shown("took … s\n", "took 1.5 s\n")
    assert not is_shown("a\n...\nd\n", "a\nb\n")
    assert not is_shown("", "a\n")
