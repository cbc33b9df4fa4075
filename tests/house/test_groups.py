"""What tests need and skip without is installed where they run: no test is skipped everywhere."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from house.tree import ROOT, files, parsed, shown

DISTRIBUTIONS = {"OpenSSL": "pyopenssl", "starlette": "fastapi", "importlinter": "import-linter"}
"""What brings a module that is called otherwise."""

ELSEWHERE = {
    "torsion": "is told of by itself",
    "uvloop": "is compared with by who has it",
    "hamcrest": "comes with the session twisted",
    "pip": "comes with Python",
}
"""What may be missing from the groups, and why."""


def provided(name: str) -> set[str]:
    """Return the distributions of a group of dependencies, and of those that it includes, in lower case."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    found: set[str] = set()
    for each in groups[name]:
        if isinstance(each, dict):
            found |= provided(each["include-group"])
        else:
            found.add(re.split(r"[^\w.-]", each, maxsplit=1)[0].lower())
    return found


def wanted(path: Path) -> Iterator[str]:
    """Give the distributions without which tests of *path* are skipped."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "importorskip":
            name = node.args[0]
            if isinstance(name, ast.Constant):
                assert name.value != "twisted", "a folder of our plugins is called so: twisted.internet tells"
                top = name.value.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in ELSEWHERE:
                    yield DISTRIBUTIONS.get(top, top).lower().replace("_", "-")


def test_what_is_skipped_somewhere_runs_elsewhere() -> None:
    tests, house, interop = provided("test"), provided("lint") | provided("types"), provided("interop")
    missing = []
    for path in files(".py"):
        text = path.read_text(encoding="utf-8")
        if "tests" not in path.parts or "importorskip" not in text:
            continue
        there = tests | house if "house" in path.parts else tests
        if "mark.interop" in text:
            there = there | interop
        missing += [f"{shown(path)}: {each}" for each in wanted(path) if each not in there]
    assert missing == [], "add it to the group test, or to the group interop and mark those tests with interop"
