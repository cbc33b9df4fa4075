"""Changes to import statements, which keep their layout and their comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torsion.porting.facts import OLD
from torsion.porting.source import Edit

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator, Sequence

    from torsion.porting.source import Source

__all__ = ["NEW", "add_module", "rename", "rename_from", "rename_module", "split_from"]

NEW = "torsion"

_WIDTH = 100
"""How long a line may be that is made here: longer ones get brackets."""

_BLANK = r"(?:[ \t\f]|\\(?:\r\n|\r|\n))"
_FROM = re.compile(rf"from{_BLANK}+({OLD}\b(?:{_BLANK}*\.{_BLANK}*\w+)*)")
_BETWEEN = re.compile(r"(?:\s|\\|#[^\r\n]*)*")  # what may stand between a name and its comma
_FOR_TOOLS = re.compile(r"#\s*(?:noqa|type:|pragma|pylint|pyright|isort|ruff)")


def rename(start: int) -> Edit:
    """Return the change of the package's name that begins at *start*."""
    return Edit(start, start + len(OLD), NEW)


def rename_from(source: Source, node: ast.ImportFrom, module: str | None) -> Edit:
    """Return the change of all of a ``from … import`` statement.

    :param module: where its names are now; None if only the package has another name.
    """
    start, end = source.span(node)
    found = _FROM.match(source.text, start, end)
    assert found is not None  # as the parser has found it there
    return rename(found.start(1)) if module is None else Edit(*found.span(1), module)


def rename_module(source: Source, node: ast.ImportFrom, module: str) -> Edit | None:
    """Return the change of a statement that imports one module, which is *module* now, by the name that it had.

    :returns: None for a statement of several lines, or with brackets.
    """
    start, end = source.span(node)
    [alias] = node.names
    if re.search(r"[\r\n(]", source.text[start:end]):
        return None
    package, _, name = module.rpartition(".")
    return Edit(start, end, f"from {package} import {name} as {alias.asname or alias.name}")


def add_module(source: Source, alias: ast.alias) -> Edit:
    """Return the change by which an ``import`` statement gets torsion's module beside Twisted's."""
    start, end = source.span(alias)
    return Edit(start, start, f"{NEW}{source.text[start + len(OLD) : end]}, ")


def split_from(source: Source, node: ast.ImportFrom, left: Sequence[ast.alias], module: str | None) -> list[Edit]:
    """Return the changes by which *left*, some of what a statement imports, go on being imported from Twisted.

    :param module: as for :func:`rename_from`.
    """
    start, end = source.span(node)
    alone = not source.text[source.line_start(start) : start].strip() and re.fullmatch(r"\s*(?:#.*)?", source.line(end))
    text = source.text[start:end]
    if "(" in text and re.search(r"[\r\n]", text):
        edits, moved = _take_out(source, left, bool(alone))
        edits.append(rename_from(source, node, module))
    else:
        gone = set(map(id, left))
        kept = [alias for alias in node.names if id(alias) not in gone]
        edits, moved = [Edit(start, end, _statement(source, module or NEW + _below(node), kept))], []
    if alone:
        edits.append(_line_below(source, node, left, moved))
    else:
        edits.append(Edit(end, end, f"; {_statement(source, OLD + _below(node), left)}"))
    return edits


def _below(node: ast.ImportFrom) -> str:
    """Return the module's name below the package's, with the dot between them."""
    return (node.module or "").removeprefix(OLD)


def _statement(source: Source, module: str, aliases: Sequence[ast.alias]) -> str:
    return f"from {module} import {', '.join(source.text[slice(*source.span(alias))] for alias in aliases)}"


def _line_below(source: Source, node: ast.ImportFrom, left: Sequence[ast.alias], moved: Sequence[str]) -> Edit:
    """Return the statement for *left* as a line of its own below another one.  *moved* are lines that were taken out of that."""
    start, end = source.span(node)
    indent = source.text[source.line_start(start) : start]
    line = indent + _statement(source, OLD + _below(node), left)
    comment = source.line(end).strip()
    if moved or len(line) > _WIDTH:
        opening = f"{indent}from {OLD}{_below(node)} import ("
        names = moved or [f"{source.text[slice(*source.span(alias))]}," for alias in left]
        lines = [opening, *(f"{indent}    {name}" for name in names), f"{indent})"]
    else:
        lines = [line]
    if _FOR_TOOLS.match(comment):
        lines[-1] += f"  {comment}"
    below = source.next_line(end)
    text = source.newline.join(lines)
    if below > end and source.text[below - 1] in "\r\n":
        return Edit(below, below, text + source.newline)
    return Edit(below, below, source.newline + text)  # the file ends without a line's end


def _take_out(source: Source, left: Sequence[ast.alias], whole_lines: bool) -> tuple[list[Edit], list[str]]:
    """Return the changes by which *left* leave their statement, and the lines that leave as a whole.

    :param whole_lines: whether lines may leave with their comments: if all of *left* have one of their own.
    """
    places = [_place(source, alias) for alias in left]
    if whole_lines and all(line is not None for _, line in places):
        edits = [line for _, line in places if line is not None]
        return edits, [_with_comma(source.text[edit.start : edit.end]) for edit in edits]
    return [edit for edits, _ in places for edit in edits], []


def _with_comma(line: str) -> str:
    """Return a line with one name on it, that another one may follow."""
    name, mark, comment = line.strip().partition("#")
    return f"{name.strip().removesuffix(',').strip()}," + (f"  {mark}{comment}" if mark else "")


def _place(source: Source, alias: ast.alias) -> tuple[list[Edit], Edit | None]:
    """Return the changes by which one name leaves a statement in brackets, and the one by which its line does, if it has one."""
    start, end = source.span(alias)
    between = _BETWEEN.match(source.text, end)
    comma = between.end() if between else end
    if source.text[comma] != ",":
        comma = -1  # it is the last, and has none
    first = source.line_start(start)
    alone = (
        not source.text[first:start].strip()
        and re.fullmatch(r"[ \t]*,?[ \t]*(?:#.*)?", source.line(end))
        and not re.search(r"[\r\n]", source.text[start : max(end, comma)])
    )
    line = Edit(first, source.next_line(end), "") if alone else None
    return list(_without(source, start, end, comma)), line


def _without(source: Source, start: int, end: int, comma: int) -> Iterator[Edit]:
    """Yield the changes that take out what is from *start* to *end*, and its comma."""
    if comma < 0:
        yield Edit(start, end, "")
    elif source.text[end:comma].strip(" \t"):
        yield Edit(start, end, "")
        yield Edit(comma, comma + 1, "")
    else:
        blank = re.compile(r"[ \t]*").match(source.text, comma + 1)
        yield Edit(start, blank.end() if blank else comma + 1, "")
