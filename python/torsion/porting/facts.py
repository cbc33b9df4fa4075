"""What a module imports of a package, and how it uses it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion.porting.source import Source

__all__ = ["OLD", "Facts", "Use", "read"]

OLD = "twisted"
"""The package that programs are moved away from.  Its name is as long as torsion's: no column changes."""

_NAMED = re.compile(rf"(?<![\w.]){OLD}((?:\.[^\W\d]\w*)+)")
_FAMILIES = "application conch cred enterprise internet logger mail names pair persisted plugin plugins positioning protocols python runner spread"
_FAMILIES += " tap test trial web words"
_NAME_ALONE = re.compile(rf"{OLD}\.(?:{_FAMILIES.replace(' ', '|')})(?:\.[^\W\d]\w*)*(?::[\w.]+)?")
_TYPE_COMMENT = re.compile(r"#\s*type:\s*(?!\s|ignore\b)")


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a module: ``base.parts[0].parts[1]…``, by way of whatever name it was imported under.

    :ivar start: where it begins, in characters; -1 if nobody knows.
    """

    base: str
    parts: tuple[str, ...]
    line: int
    start: int


@dataclass(slots=True)
class Facts:
    """What is to be known of a module.

    :ivar plain: its ``import`` statements.
    :ivar sourced: its ``from … import`` statements that are not relative.
    :ivar uses: all its uses of names, with the attributes that are asked of them.
    :ivar bound: the names that are bound by anything but imports, and of those of which package.
    :ivar strings: texts that are the name of something in Twisted, and their lines.
    """

    plain: list[ast.Import] = field(default_factory=list)
    sourced: list[ast.ImportFrom] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)
    strings: list[tuple[str, int]] = field(default_factory=list)


def read(source: Source) -> Facts:
    """Return what is to be known of a module."""
    reader = _Reader(source)
    reader.visit(source.tree)
    if _TYPE_COMMENT.search(source.text):  # mostly not, and to look at each token takes its time
        for start, text, line in source.comments():
            if _TYPE_COMMENT.match(text):
                reader.note_text(text, start, line)
    return reader.facts


class _Reader(ast.NodeVisitor):
    """Goes through a syntax tree."""

    def __init__(self, source: Source) -> None:
        self.facts = Facts()
        self._source = source
        self._in_annotation = False

    def note_text(self, text: str, start: int, line: int) -> None:
        """Note the uses within a text that is code."""
        for found in _NAMED.finditer(text):
            self.facts.uses.append(Use(OLD, tuple(found[1][1:].split(".")), line, start + found.start()))

    # --- what is imported --------------------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        self.facts.plain.append(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level == 0:
            self.facts.sourced.append(node)
        else:
            self.facts.bound |= {alias.asname or alias.name for alias in node.names}

    # --- what is used ------------------------------------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> None:
        parts = []
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            parts.append(base.attr)
            base = base.value
        if isinstance(base, ast.Name):
            self._note_use(base, tuple(reversed(parts)))
        else:
            self.visit(base)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._note_use(node, ())
        else:
            self.facts.bound.add(node.id)

    def _note_use(self, node: ast.Name, parts: tuple[str, ...]) -> None:
        start = -1
        if node.id == OLD:
            start = self._source.offset(node.lineno, node.col_offset)
            if not self._source.text.startswith(OLD, start):
                start = -1  # before Python 3.12, within an f-string
        self.facts.uses.append(Use(node.id, parts, node.lineno, start))

    def visit_Constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, str) or OLD not in node.value:
            return
        if self._in_annotation:
            start, end = self._source.span(node)
            self.note_text(self._source.text[start:end], start, node.lineno)
        elif _NAME_ALONE.fullmatch(node.value):
            self.facts.strings.append((node.value, node.lineno))

    # --- annotations, in which texts are code ------------------------------------------------------------------------

    def _visit_annotation(self, node: ast.expr | None) -> None:
        if node is not None:
            before, self._in_annotation = self._in_annotation, True
            self.visit(node)
            self._in_annotation = before

    def visit_Subscript(self, node: ast.Subscript) -> None:
        before = self._in_annotation
        if isinstance(node.value, ast.Name | ast.Attribute) and ast.unparse(node.value).endswith("Literal"):
            self._in_annotation = False  # whose texts are texts
        self.generic_visit(node)
        self._in_annotation = before

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit_all((node.target, node.value))
        self._visit_annotation(node.annotation)

    def visit_arg(self, node: ast.arg) -> None:
        self.facts.bound.add(node.arg)
        self._visit_annotation(node.annotation)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.facts.bound.add(node.name)
        self._visit_all((*node.decorator_list, node.args, *node.body, *getattr(node, "type_params", ())))
        self._visit_annotation(node.returns)

    visit_FunctionDef = _visit_function
    visit_AsyncFunctionDef = _visit_function

    # --- what else binds names ---------------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.facts.bound.add(node.name)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self._bind(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._bind(node.rest)
        self.generic_visit(node)

    def _bind(self, name: str | None) -> None:
        if name is not None:
            self.facts.bound.add(name)
