r"""The grammar of endpoint descriptions, and errors that point into them.

A description is a type and its arguments, parted by colons: ``tcp:8080:interface=127.0.0.1``.  An argument is a value, or
a name, ``=`` and a value; values without a name come in the order that the type lays down.  A backslash takes the meaning
from a colon, an equals sign or a backslash after it, so that ``tcp:interface=\:\:1:port=80`` listens at ``::1``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = ["EndpointDescriptionError", "Part", "join", "quoteStringArgument", "split", "text_of"]


class EndpointDescriptionError(ValueError):
    """An endpoint's description cannot be used; the text shows which part of it.

    :ivar description: the description.
    :ivar problem: what is wrong with it.
    :ivar start: where the bad part begins, as an index of the description.
    :ivar end: where it ends.
    """

    def __init__(self, description: str, problem: str, start: int = 0, end: int | None = None) -> None:
        """Tell what is wrong with a part of *description*: from *start* to *end*, by default to its own end."""
        self.description = description
        self.problem = problem
        self.start = start
        self.end = len(description) if end is None else end
        super().__init__(self._text())

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.description, self.problem, self.start, self.end)

    def _text(self) -> str:
        # Each letter as it is printed: what has no shape of its own would move the mark.
        shown = [letter if letter.isprintable() else repr(letter)[1:-1] for letter in self.description]
        before = sum(map(len, shown[: self.start]))
        width = sum(map(len, shown[self.start : self.end])) or 1
        mark = " " * before + "^" * width
        return f"endpoint description {self.description!r} {self.problem}\n    {''.join(shown)}\n    {mark}"


class Part(NamedTuple):
    """What stands between two colons, unquoted: a value and perhaps its name; and from where to where."""

    name: str | None
    value: str
    start: int
    end: int


def text_of(description: str | bytes) -> str:
    """Return a description as text; bytes are UTF-8.

    :raises TypeError: if it is neither.
    :raises ValueError: if it is not UTF-8.
    """
    if isinstance(description, bytes):
        return description.decode("utf-8")
    if not isinstance(description, str):
        raise TypeError(f"an endpoint's description is a str, unlike {description!r}")
    return description


def split(description: str) -> list[Part]:
    """Take a description apart; the first part is its type.

    :raises EndpointDescriptionError: if a name is given twice, or a backslash stands at the end.
    """
    parts: list[Part] = []
    names: set[str] = set()
    name: str | None = None
    letters: list[str] = []
    start = 0
    place = 0

    def end() -> None:
        if name is not None:
            if name in names:
                raise EndpointDescriptionError(description, f"gives {name!r} twice; leave one out", start, place)
            names.add(name)
        parts.append(Part(name, "".join(letters), start, place))

    while place < len(description):
        letter = description[place]
        if letter == "\\":
            place += 1
            if place == len(description):
                problem = "ends in a backslash, which has nothing to quote; write two for one"
                raise EndpointDescriptionError(description, problem, place - 1)
            letters.append(description[place])
        elif letter == ":":
            end()
            name, letters, start = None, [], place + 1
        elif letter == "=" and name is None:
            name, letters = "".join(letters), []
        else:
            letters.append(letter)
        place += 1
    end()
    return parts


def quoteStringArgument(argument: str) -> str:
    """Return *argument* so that it can be put into a description as a value, whatever is in it.

    An equals sign is left alone: it means nothing in a value that has a name, which values from elsewhere should have.
    """
    return argument.replace("\\", "\\\\").replace(":", "\\:")


def _quote_more(argument: str) -> str:
    return quoteStringArgument(argument).replace("=", "\\=")


def join(values: Iterable[str], named: Mapping[str, str]) -> str:
    """Return the description that :func:`split` takes apart into these values without a name, and these with one."""
    parts = [_quote_more(value) for value in values]
    parts += [f"{_quote_more(name)}={quoteStringArgument(value)}" for name, value in named.items()]
    return ":".join(parts)
