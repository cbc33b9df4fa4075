"""Files and functions stay small enough to be read at one go."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from house.tree import files, parsed, shown

LINES_PER_FILE = 600
LINES_PER_FUNCTION = 60

# What may be longer, and why.
LONG_FILES: dict[str, str] = {
    "python/torsion/_native/_core.pyi": "the contract of one binary, class after class: what describes it has one file, too",
}
LONG_FUNCTIONS: dict[str, str] = {
    "python/torsion/internet/defer/_run.py: run": "the loop that every callback goes through: to split it is a call for each",
    "rust/reactor/src/stream/state.rs: obey": "the state table itself, an arm for each event",
}


def python_functions(path: Path) -> Iterator[tuple[str, int]]:
    """Give each function of *path* with its lines, the docstring not counted."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                lines -= (first.end_lineno or first.lineno) - first.lineno + 1
            yield node.name, lines


def rust_functions(path: Path) -> Iterator[tuple[str, int]]:
    """Give each function of *path* with its lines.  The formatter puts a function's last brace under its first word."""
    open_functions: list[tuple[str, int, str]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        if found := re.match(r"( *)(?:pub(?:\(.*?\))? )?(?:const |async |unsafe |extern \"C\" )*fn (\w+)", line):
            if not line.rstrip().endswith((";", "}")):
                open_functions.append((found[2], number, found[1]))
        elif open_functions and line == open_functions[-1][2] + "}":
            name, began, _ = open_functions.pop()
            yield name, number - began + 1
        elif open_functions and line.startswith(open_functions[-1][2] + ")") and line.endswith(";"):
            open_functions.pop()  # a signature without a body, over several lines


def test_files() -> None:
    sizes = {shown(path): path.read_text(encoding="utf-8").count("\n") for path in files(".py", ".pyi", ".rs")}
    assert {name: size for name, size in sizes.items() if size > LINES_PER_FILE and name not in LONG_FILES} == {}
    assert {name for name in LONG_FILES if sizes.get(name, 0) <= LINES_PER_FILE} == set(), (
        "no longer long: strike it off"
    )


def test_functions() -> None:
    """A test that tells one story may take its time; everything else may not."""
    measured = [path for path in files(".py", ".rs") if "tests" not in path.parts]
    sizes = {
        f"{shown(path)}: {name}": size
        for path in measured
        for name, size in (python_functions(path) if path.suffix == ".py" else rust_functions(path))
    }
    assert {
        name: size for name, size in sizes.items() if size > LINES_PER_FUNCTION and name not in LONG_FUNCTIONS
    } == {}
    assert {name for name in LONG_FUNCTIONS if sizes.get(name, 0) <= LINES_PER_FUNCTION} == set(), (
        "no longer long: strike it off"
    )


def test_the_rust_ruler_measures(tmp_path: Path) -> None:
    source = tmp_path / "long.rs"
    body = "        work();\n" * 70
    source.write_text(
        f"impl A {{\n    pub fn long(\n        &self,\n    ) {{\n{body}    }}\n    fn short() {{\n    }}\n}}\n",
        encoding="utf-8",
    )
    assert dict(rust_functions(source)) == {"long": 74, "short": 2}
