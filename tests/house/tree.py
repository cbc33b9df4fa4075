"""What the rules of the house are applied to: the files of the project."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "torsion"
CRATES = ROOT / "rust"

SKIPPED = {"target", ".git", ".nox", ".venv", "__pycache__"}


def files(*suffixes: str, under: Path = ROOT) -> list[Path]:
    """Return the project's own files with one of *suffixes*, in order."""
    return sorted(
        path
        for folder in (under / name for name in ("python", "rust", "tests", "benches", "examples"))
        if folder.is_dir()
        for path in folder.rglob("*")
        if path.suffix in suffixes and not SKIPPED & set(path.parts)
    )


def sources() -> list[Path]:
    """Return the modules of the package, in order."""
    return sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def module_name(path: Path) -> str:
    """Return the dotted name of the module that stands in *path*."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_public(name: str) -> bool:
    """Return whether no part of the dotted *name* begins with an underscore, ``__main__`` and the like aside."""
    return not any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of *path*."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def shown(path: Path) -> str:
    """Return *path* as one would type it."""
    return path.relative_to(ROOT).as_posix()
