"""Blocks of source as they are typed: is one complete, and what are its statements."""

from __future__ import annotations

import ast
import codeop
import linecache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType

__all__ = ["BLOCKS_KEPT", "LONGEST_KEPT", "Blocks"]

BLOCKS_KEPT = 500
"""Of how many blocks the source is kept for tracebacks; the oldest ones are forgotten."""


LONGEST_KEPT = 100_000
"""How long a block may be, in characters, for its source to be kept."""


class Blocks:
    """Compiles the blocks of one prompt.  ``from __future__`` holds for those after it, and ``await`` may stand anywhere."""

    def __init__(self, name: str = "manhole") -> None:
        """Begin.

        :param name: what the blocks are called in tracebacks, with a number.
        """
        self._name = name
        self._number = 0
        self._commands = codeop.CommandCompiler()
        self._compile = self._commands.compiler
        self._compile.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._kept: list[str] = []

    def compile(self, source: str, final: bool = False) -> list[CodeType] | None:
        """Compile a block.

        :param source: its lines. As at Python's own prompt, a compound statement ends with an empty line.
        :param final: there will be no more lines: what is not complete is an error.
        :returns: the code of each of its statements, which shows the values of expressions; none for a block of comments. None
            if the block is not complete.
        :raises SyntaxError, ValueError, OverflowError, MemoryError, RecursionError: if it is no Python.
        """
        name = f"<{self._name} {self._number + 1}>"
        code: CodeType | None = None
        if not final:
            try:
                code = self._commands(source, name, "single")
                if code is None:
                    return None
            except SyntaxError:  # unless it is several statements, the next step says so, too
                pass
        codes = [code] if code is not None else self._statements(source, name)
        self._number += 1
        self._keep(name, source)
        return codes

    def _statements(self, source: str, name: str) -> list[CodeType]:
        flags = self._compile.flags & ~codeop.PyCF_DONT_IMPLY_DEDENT | ast.PyCF_ONLY_AST  # type: ignore[attr-defined]  # not in typeshed
        tree = compile(source, name, "exec", flags & ~_INCOMPLETE, dont_inherit=True)
        assert isinstance(tree, ast.Module)
        return [self._compile(ast.Interactive([each]), name, "single") for each in tree.body]  # type: ignore[arg-type]  # compile() takes trees

    def _keep(self, name: str, source: str) -> None:
        if len(source) > LONGEST_KEPT:
            return
        lines = [line + "\n" for line in source.split("\n")]
        linecache.cache[name] = (len(source), None, lines, name)  # no time of change: it is never looked for on disk
        self._kept.append(name)
        while len(self._kept) > BLOCKS_KEPT:
            linecache.cache.pop(self._kept.pop(0), None)

    def forget(self) -> None:
        """Forget the sources."""
        for name in self._kept:
            linecache.cache.pop(name, None)
        self._kept.clear()


_INCOMPLETE: int = getattr(codeop, "PyCF_ALLOW_INCOMPLETE_INPUT", 0)
