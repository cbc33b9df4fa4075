"""A module's text as it stands in its file, and changes to it that leave all else as it is."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Edit", "Source", "Unportable", "decoded", "parsed"]

_LINE_END = re.compile(r"\r\n|\r|\n")


class Unportable(ValueError):
    """A file cannot be ported; the message says why."""


class Edit(NamedTuple):
    """A change: what is from *start* to *end* becomes *text*.  Both count characters."""

    start: int
    end: int
    text: str


class Source:
    """A module's text.

    :ivar text: as it is in the file, line ends included.
    :ivar tree: its syntax tree.
    """

    def __init__(self, data: bytes) -> None:
        """Read a module.

        :param data: what is in its file.
        :raises Unportable: if it cannot be decoded, or is no Python of this interpreter's version.
        """
        self.text, self.encoding = decoded(data)
        self._plain = _LINE_END.sub("\n", self.text)
        self.tree = parsed(self._plain)
        self._starts = [0, *(found.end() for found in _LINE_END.finditer(self.text))]
        self._ascii = self.text.isascii()
        self.newline = found[0] if (found := _LINE_END.search(self.text)) else "\n"

    def offset(self, line: int, column: int) -> int:
        """Return the place of a node, whose column counts bytes of UTF-8, in characters from the start."""
        start = self._starts[line - 1]
        if self._ascii:
            return start + column
        return start + len(self.line(start).encode()[:column].decode())

    def span(self, node: ast.expr | ast.stmt | ast.alias) -> tuple[int, int]:
        """Return where a node begins and where it ends."""
        assert node.end_lineno is not None  # as it comes from a parser
        assert node.end_col_offset is not None
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def line(self, offset: int) -> str:
        """Return the rest of the line from *offset* on, without its end."""
        found = _LINE_END.search(self.text, offset)
        return self.text[offset : found.start() if found else None]

    def line_start(self, offset: int) -> int:
        """Return where the line of *offset* begins."""
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1

    def next_line(self, offset: int) -> int:
        """Return where the line behind that of *offset* begins, or would."""
        found = _LINE_END.search(self.text, offset)
        return found.end() if found else len(self.text)

    def comments(self) -> Iterator[tuple[int, str, int]]:
        """Yield the comments: where each begins, its text, and the number of its line."""
        try:
            for token in tokenize.generate_tokens(io.StringIO(self._plain).readline):
                if token.type == tokenize.COMMENT:
                    line, column = token.start
                    yield self._starts[line - 1] + column, token.string, line
        except (tokenize.TokenError, SyntaxError):  # pragma: no cover - the parser was content
            return

    def changed(self, edits: Iterable[Edit]) -> bytes:
        """Return what the file is with *edits*, which must not overlap.

        :raises Unportable: if that would be no Python, which is a defect of torsion.
        """
        pieces = []
        done = 0
        for start, end, text in sorted(set(edits)):
            if start < done:
                raise Unportable("two changes of it would overlap; please report this")
            pieces += [self.text[done:start], text]
            done = end
        text = "".join((*pieces, self.text[done:]))
        try:
            parsed(_LINE_END.sub("\n", text))
        except Unportable as problem:
            raise Unportable(f"would be no Python any more; please report this ({problem})") from None
        return text.encode(self.encoding)


def decoded(data: bytes) -> tuple[str, str]:
    """Return a module's text, line ends included, and its encoding.

    :raises Unportable: if it cannot be decoded.
    """
    try:
        lines = io.BytesIO(re.sub(rb"\r\n?", b"\n", data))
        encoding, _ = tokenize.detect_encoding(lines.readline)
        text = data.decode(encoding)
        same = text.encode(encoding) == data
    except (SyntaxError, UnicodeError, LookupError) as problem:
        raise Unportable(f"cannot be decoded: {_first_line(problem)}") from None
    if not same:
        raise Unportable(f"would not be the same again when written as {encoding}")
    return text, encoding


def parsed(text: str) -> ast.Module:
    """Return the syntax tree of *text*.

    :raises Unportable: if it has none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those are its author's business
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        where = f", line {problem.lineno}" if isinstance(problem, SyntaxError) and problem.lineno else ""
        raise Unportable(f"is no Python that this interpreter reads: {_first_line(problem)}{where}") from None


def _first_line(problem: BaseException) -> str:
    text = problem.msg if isinstance(problem, SyntaxError) else str(problem)
    return text.partition("\n")[0] or type(problem).__name__
