"""Templates: of tags, of XML in a string, of XML in a file.

In XML the names of the namespace :data:`TEMPLATE_NAMESPACE` say what is to be done: the attribute ``render`` names a render
method; the elements ``slot``, ``attr`` and ``transparent`` are a place to fill, an attribute of the element that it stands in, and no
element at all.
"""

from __future__ import annotations

import os
import warnings
from typing import Any, Final

from zope.interface import implementer

from torsion.web.error import TemplateSyntaxError
from torsion.web.iweb import ITemplateLoader

from .stan import Flattenable

__all__ = ["MAX_TEMPLATE", "TEMPLATE_NAMESPACE", "TagLoader", "XMLFile", "XMLString"]

TEMPLATE_NAMESPACE: Final = "http://twistedmatrix.com/ns/twisted.web.template/0.1"
"""The namespace of what is for the template, and not for the page."""

MAX_TEMPLATE: Final = 4 * 1024 * 1024
"""A template may have so many bytes.  People write kilobytes; what it refers to by entities can be a hundred times as long."""


@implementer(ITemplateLoader)
class TagLoader:
    """A template that is made of tags."""

    def __init__(self, tag: Flattenable) -> None:
        """Make a template of a tag, or of anything else that can be flattened."""
        self.tag = tag

    def load(self) -> list[Flattenable]:
        """Return the tag, in a list."""
        return [self.tag]


@implementer(ITemplateLoader)
class XMLString:
    """A template that is XML: one element, and what is in it."""

    def __init__(self, s: bytes | str) -> None:
        """Read a template.

        :param s: the XML; bytes are in UTF-8, or in what their XML declaration says.
        :raises TemplateSyntaxError: if it is no XML, or cannot be a template.
        """
        self._loadedTemplate = _read(s, None)

    def load(self) -> list[Flattenable]:
        """Return the template: the same objects each time, which are not to be changed."""
        return self._loadedTemplate


@implementer(ITemplateLoader)
class XMLFile:
    """A template that is a file of XML: one element, and what is in it.  It is read when it is needed first."""

    def __init__(self, path: Any) -> None:
        """Take the template from a file.

        :param path: a :class:`torsion.python.filepath.FilePath` or another path object.  A name as text, or an open file, is
            taken as well, and warned of.
        """
        if not hasattr(path, "open") and not isinstance(path, os.PathLike):
            warnings.warn(
                "Passing filenames or file objects to XMLFile is deprecated since Twisted 12.1.  Pass a FilePath instead.",
                DeprecationWarning,
                stacklevel=2,
            )
        self._path = path
        self._loadedTemplate: list[Flattenable] | None = None

    def load(self) -> list[Flattenable]:
        """Return the template: the same objects each time, which are not to be changed.

        :raises TemplateSyntaxError: if it is no XML, or cannot be a template.
        :raises OSError: if the file cannot be read.
        """
        if self._loadedTemplate is None:
            self._loadedTemplate = self._loaded()
        return self._loadedTemplate

    def _loaded(self) -> list[Flattenable]:
        """Read the file."""
        path = self._path
        if hasattr(path, "read"):
            return _read(path.read(MAX_TEMPLATE + 1), getattr(path, "name", None))
        name = os.fsdecode(path)
        with open(path, "rb") as file:  # noqa: PTH123 - it may be a FilePath, or a name
            return _read(file.read(MAX_TEMPLATE + 1), name)

    def __repr__(self) -> str:
        return f"<XMLFile of {self._path!r}>"


def _read(source: bytes | str, filename: str | None) -> list[Flattenable]:
    """Return the nodes of a template."""
    if not isinstance(source, bytes | str):
        raise TypeError(f"a template is text or bytes of XML, not {source!r}")
    if len(source) > MAX_TEMPLATE:
        raise TemplateSyntaxError(f"longer than {MAX_TEMPLATE} bytes", filename)
    from .reading import read  # late: expat is loaded by those who have templates of XML

    return read(source, filename, TEMPLATE_NAMESPACE)
