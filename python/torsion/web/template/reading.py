"""XML becomes a template: expat finds the elements, here they become tags.

Nothing is fetched: entities that are elsewhere are refused, and those that are declared in the text are bounded.
"""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn
from xml.parsers.expat import ExpatError, ParserCreate, errors

from torsion.web.error import MisplacedDirective, TemplateSyntaxError

from .stan import CDATA, Comment, Flattenable, Tag, slot

__all__ = ["MAX_ENTITY", "MAX_NESTED", "MAX_TEXT", "read"]

MAX_NESTED: Final = 256
"""So many elements may be inside of each other: browsers stop at 512, people far before that, and to copy a tag takes stack."""

MAX_ENTITY: Final = 1024
"""So many characters may an entity have that the template declares.  It is for words and single characters."""

MAX_TEXT: Final = 16 * 1024 * 1024
"""So many characters may a template have with all entities put in: four times what may be written without."""

_ELSEWHERE: Final = re.compile("&[^#]")
_XML_NAMESPACE: Final = "http://www.w3.org/XML/1998/namespace"
_UNDEFINED: Final = errors.XML_ERROR_UNDEFINED_ENTITY


class _Reader:
    """Takes what the parser finds in a template."""

    def __init__(self, filename: str | None, namespace: str) -> None:
        self._filename = filename
        self._ours = namespace
        self.nodes: list[Any] = []
        self._open: list[Any] = []  # what has begun and has not ended: tags, and slots
        self._into: list[list[Any]] = [self.nodes]  # where the next node goes, for each of them
        self._prefixes: list[dict[str, str]] = [{"xml": _XML_NAMESPACE}]
        self._section: list[str] | None = None
        self._length = 0
        self.parser: Any = None

    def read(self, source: bytes | str) -> list[Any]:
        """Return the nodes of a template."""
        # Text is what was written, whatever it says that it is encoded in.
        self.parser = parser = ParserCreate("utf-8" if isinstance(source, str) else None)
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.CommentHandler = self._comment
        parser.StartCdataSectionHandler = self._start_section
        parser.EndCdataSectionHandler = self._end_section
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._skipped
        try:
            data = source.encode("utf-8") if isinstance(source, str) else source
            parser.Parse(data, True)
        except ExpatError as error:
            self._refuse(_explained(error), line=error.lineno, column=error.offset)
        except (LookupError, ValueError, Warning) as error:  # of codecs; some warn, which may be an error
            if isinstance(error, TemplateSyntaxError):
                raise
            self._refuse(str(error))
        finally:
            self.parser = None  # it has our methods: a circle
        return self.nodes

    def _refuse(
        self, why: str, kind: type[TemplateSyntaxError] = TemplateSyntaxError, line: int | None = None, column: int = 0
    ) -> NoReturn:
        """Raise an error that says where it is."""
        if line is None:
            line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber
        raise kind(why, self._filename, line, column) from None

    # --- elements ----------------------------------------------------------------------------------------------------

    def _start(self, name: str, written: list[str]) -> None:
        """Begin an element."""
        if len(self._open) >= MAX_NESTED:
            self._refuse(f"more than {MAX_NESTED} elements inside of each other")
        pairs = list(zip(written[::2], written[1::2], strict=True))
        pairs = self._declared(pairs)
        render: str | None = None
        attributes: dict[Any, Flattenable] = {}
        for key, value in pairs:
            if ":" in key and self._namespace(key) == self._ours and key.endswith(":render"):
                render = value
            else:
                attributes[key] = value
                self._count(len(value))
        node: Any
        if self._namespace(name) == self._ours:
            node = self._directive(name.rpartition(":")[2], attributes, render)
        else:
            node = self._add(self._tag(name, attributes, render))
        self._open.append(node)
        self._into.append(node.children)

    def _declared(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Note the namespaces that an element declares, and return its attributes without the declaration of the template's."""
        prefixes = self._prefixes[-1]
        for key, value in pairs:
            if key == "xmlns" or key.startswith("xmlns:"):
                if prefixes is self._prefixes[-1]:
                    prefixes = prefixes.copy()
                prefixes[key[6:]] = value
        self._prefixes.append(prefixes)
        return [
            (key, value)
            for key, value in pairs
            if value != self._ours or not (key == "xmlns" or key.startswith("xmlns:"))
        ]

    def _namespace(self, name: str) -> str:
        """Return the namespace of a name."""
        prefix, colon, local = name.rpartition(":")
        if prefix == "xmlns":
            return ""
        if colon and (not prefix or not local or ":" in prefix):
            self._refuse(f"{name!r} is no name: one colon may stand in it, between two words")
        found = self._prefixes[-1].get(prefix)
        if found is None:
            if prefix:
                hint = f": declare it with xmlns:{prefix}="
                self._refuse(f"unbound prefix {prefix!r} of {name!r}{hint}{self._ours!r}, say")
            return ""
        return found

    def _tag(self, name: str, attributes: dict[Any, Flattenable], render: str | None) -> Tag:
        parser = self.parser
        return Tag(name, attributes, [], render, self._filename, parser.CurrentLineNumber, parser.CurrentColumnNumber)

    def _add(self, node: Any) -> Any:
        """Put a node where the template is."""
        self._into[-1].append(node)
        return node

    def _directive(self, name: str, attributes: dict[Any, Any], render: str | None) -> Any:
        """Return what an element of the template's namespace is, put in its place."""
        if name == "transparent":
            return self._add(self._tag("", attributes, render))
        if name not in ("attr", "slot"):
            return self._add(self._tag(name, attributes, render))
        if "name" not in attributes:
            self._refuse(f"the element {name!r} has no attribute 'name'", MisplacedDirective)
        called = attributes["name"]
        if name == "slot":
            line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber
            return self._add(slot(called, attributes.get("default"), self._filename, line, column))
        within = self._open[-1] if self._open else None
        if not isinstance(within, Tag):
            self._refuse("the element 'attr' stands in the element whose attribute it is", MisplacedDirective)
        node = self._tag("", {}, render)
        within.attributes[called] = node
        return node

    def _end(self, name: str) -> None:
        """End an element."""
        self._open.pop()
        self._into.pop()
        self._prefixes.pop()

    # --- what is in them ---------------------------------------------------------------------------------------------

    def _count(self, length: int) -> None:
        self._length += length
        if self._length > MAX_TEXT:
            self._refuse(f"more than {MAX_TEXT} characters, with entities put in")

    def _text(self, data: str) -> None:
        self._count(len(data))
        if self._section is not None:
            self._section.append(data)
            return
        into = self._into[-1]
        if into and type(into[-1]) is str:
            into[-1] += data
        else:
            into.append(data)

    def _comment(self, data: str) -> None:
        self._add(Comment(data))

    def _start_section(self) -> None:
        self._section = []

    def _end_section(self) -> None:
        self._add(CDATA("".join(self._section or ())))
        self._section = None

    # --- entities ----------------------------------------------------------------------------------------------------

    def _entity(self, name: str, is_parameter: bool, value: str | None, *elsewhere: Any) -> None:
        """Take the declaration of an entity."""
        if is_parameter or value is None:
            self._refuse(f"the entity {name!r} is not declared by its text: nothing else is looked for")
        if len(value) > MAX_ENTITY:
            self._refuse(f"the entity {name!r} has more than {MAX_ENTITY} characters")
        if _ELSEWHERE.search(value):
            self._refuse(f"the entity {name!r} is made of other entities")

    def _skipped(self, name: str, is_parameter: bool) -> None:
        """Take a reference to an entity that might be declared elsewhere."""
        self._refuse(_hint(f"undefined entity {name!r}"))


def _hint(why: str) -> str:
    return f"{why}: XML knows amp, lt, gt, quot and apos; write others as numbers, &#160; for &nbsp;, or in UTF-8"


def _explained(error: ExpatError) -> str:
    """Return what expat says."""
    why = errors.messages.get(error.code, str(error))
    return _hint(why) if why == _UNDEFINED else why


def read(source: bytes | str, filename: str | None, namespace: str) -> list[Any]:
    """Return the nodes of a template.

    :param source: the XML.
    :param filename: the name of the file that it is from, for tags and errors; None if it is from none.
    :param namespace: that of what is for the template, and not for the page.
    :raises TemplateSyntaxError: if it is no XML, or cannot be a template.
    """
    return _Reader(filename, namespace).read(source)
