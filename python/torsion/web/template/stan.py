"""What pages are made of: tags, the slots in them, comments, sections of CDATA, references to characters.

``tags.p("Hello, ", tags.b(name), class_="greeting")`` is a tree of these; :func:`torsion.web.template.flatten` makes bytes of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Coroutine, Generator
from types import CoroutineType, GeneratorType
from typing import Any, Final, Union

from torsion.internet.defer import Deferred
from torsion.web.iweb import IRenderable

__all__ = ["CDATA", "VOID_TAGS", "CharRef", "Comment", "Flattenable", "Tag", "slot"]

VOID_TAGS: Final = frozenset(
    b"area base basefont br col command embed frame hr img input isindex keygen link meta param source track wbr".split()
)
"""The elements of HTML, old and new, that have no content: without children they are written ``<br />`` (HTML, 13.1.2)."""


class slot:
    """A place in a template that :meth:`Tag.fillSlots` of a tag around it fills.

    :ivar name: what the place is called.
    :ivar children: what stood in it in an XML template; not shown.
    :ivar default: what stands there when nothing is filled in; None for none, so that it must be filled.
    :ivar filename: the file that it is from, or None.
    :ivar lineNumber: the line in that file, from 1.
    :ivar columnNumber: the column, from 0.
    """

    def __init__(
        self,
        name: str,
        default: Flattenable | None = None,
        filename: str | None = None,
        lineNumber: int | None = None,
        columnNumber: int | None = None,
    ) -> None:
        """Make a place to fill."""
        self.name = name
        self.children: list[Tag] = []
        self.default = default
        self.filename = filename
        self.lineNumber = lineNumber
        self.columnNumber = columnNumber

    def __repr__(self) -> str:
        return (
            f"slot(name={self.name!r}, children={self.children!r}, default={self.default!r}, filename={self.filename!r}, "
            f"lineNumber={self.lineNumber!r}, columnNumber={self.columnNumber!r})"
        )


class CDATA:
    """A section of CDATA: text that XML reads as it stands.  HTML knows it in SVG and MathML only.

    :ivar data: the text; where it says ``]]>`` it is written as two sections.
    """

    def __init__(self, data: str) -> None:
        """Make a section of this text."""
        self.data = data

    def __repr__(self) -> str:
        return f"CDATA({self.data!r})"


class Comment:
    """A comment.

    :ivar data: its text.  What would end the comment, or is not allowed in one, is changed where it is written.
    """

    def __init__(self, data: str) -> None:
        """Make a comment of this text."""
        self.data = data

    def __repr__(self) -> str:
        return f"Comment({self.data!r})"


class CharRef:
    """A reference to a character by its number, ``&#9731;``.  Text needs none: it is written in UTF-8.

    :ivar ordinal: the number of the character.
    """

    def __init__(self, ordinal: int) -> None:
        """Refer to the character of this number."""
        self.ordinal = ordinal

    def __repr__(self) -> str:
        return f"CharRef({self.ordinal!r})"


class Tag:
    """An element: its name, its attributes, what is in it.

    Calling it adds to it, and returns it: ``tags.a("here", href="/")``.

    :ivar tagName: the name; an empty one leaves only the children, which is a *transparent* tag.
    :ivar attributes: what each attribute says, by its name: anything that can be flattened.
    :ivar children: what is in it: a list of what can be flattened.
    :ivar render: the name of the render method that is to make what stands in its place, or None.
    :ivar slotData: what slots in it are filled with, by their names; None until something is filled.
    :ivar filename: the file that it is from, or None.
    :ivar lineNumber: the line in that file, from 1.
    :ivar columnNumber: the column, from 0.
    """

    slotData: dict[str, Flattenable] | None = None

    def __init__(
        self,
        tagName: bytes | str,
        attributes: dict[bytes | str, Flattenable] | None = None,
        children: list[Flattenable] | None = None,
        render: str | None = None,
        filename: str | None = None,
        lineNumber: int | None = None,
        columnNumber: int | None = None,
    ) -> None:
        """Make an element; the dictionary and the list become its own."""
        self.tagName = tagName
        self.attributes: dict[bytes | str, Flattenable] = {} if attributes is None else attributes
        self.children: list[Flattenable] = [] if children is None else children
        self.render = render
        self.filename = filename
        self.lineNumber = lineNumber
        self.columnNumber = columnNumber

    def fillSlots(self, **slots: Flattenable) -> Tag:
        """Fill slots inside this tag, also those that are put into it later.

        :param slots: what to fill them with, by their names.
        :returns: the tag.
        """
        if self.slotData is None:
            self.slotData = {}
        self.slotData.update(slots)
        return self

    def __call__(self, *children: Flattenable, **kw: Flattenable) -> Tag:
        """Add children and attributes.

        :param kw: attributes by name; an underscore at the end is not part of it, so that ``class_`` can be said.  ``render``
            is no attribute: it names a render method.
        :returns: the tag.
        :raises TypeError: if *render* is no text.
        """
        self.children.extend(children)
        for key, value in kw.items():
            name = key.removesuffix("_")
            if name != "render":
                self.attributes[name] = value
            elif isinstance(value, str):
                self.render = value
            else:
                raise TypeError(f'Value for "render" attribute must be str, got {value!r}')
        return self

    def clone(self, deep: bool = True) -> Tag:
        """Return a copy that can be changed by itself.

        :param deep: copy tags and lists in it as well; without, only its own attributes, children and fillings can be changed.
        """
        copy = Tag(
            self.tagName,
            {name: _copied(value) for name, value in self.attributes.items()} if deep else self.attributes.copy(),
            [_copied(child) for child in self.children] if deep else self.children[:],
            self.render,
            self.filename,
            self.lineNumber,
            self.columnNumber,
        )
        if self.slotData is not None:
            copy.slotData = {name: _copied(value) if deep else value for name, value in self.slotData.items()}
        return copy

    def clear(self) -> Tag:
        """Remove all children, and no attribute.

        :returns: the tag.
        """
        self.children = []
        return self

    def __repr__(self) -> str:
        attributes = f", attributes={self.attributes!r}" if self.attributes else ""
        children = f", children={self.children!r}" if self.children else ""
        return f"Tag({self.tagName!r}{attributes}{children})"


Flattenable = Union[
    bytes,
    str,
    slot,
    CDATA,
    Comment,
    CharRef,
    Tag,
    tuple["Flattenable", ...],
    list["Flattenable"],
    Generator["Flattenable", None, None],
    "Deferred[Flattenable]",
    Coroutine[Any, Any, "Flattenable"],
    IRenderable,
]
"""What a page can be made of.  Bytes are taken as UTF-8; text of both kinds is escaped where it is written."""


def _copied(value: Any) -> Any:
    """Return a deep copy of what is in a tag, as far as it can be copied."""
    if isinstance(value, Tag):
        return value.clone()
    if isinstance(value, list):
        return [_copied(each) for each in value]
    if isinstance(value, tuple):
        return tuple([_copied(each) for each in value])
    if isinstance(value, GeneratorType):
        _warn_of("a generator", "the generator can be consumed only once")
    elif isinstance(value, CoroutineType):
        _warn_of("a coroutine", "the coroutine can run only once")
    return value


def _warn_of(what: str, why: str) -> None:
    """Warn that a tag with *what* in it is copied."""
    warnings.warn(
        f"Cloning a Tag which contains {what} is unsafe, since {why}; "
        "this is deprecated since Twisted 21.7.0 and will raise an exception in the future",
        DeprecationWarning,
        stacklevel=1,  # how far away the caller is depends on how deep the tag is that contains it
    )
