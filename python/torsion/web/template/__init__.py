"""Pages made of tags, templates, and objects that fill them.

``stan`` what pages are made of · ``tags`` the elements of HTML · ``element`` parts of pages that are objects · ``loaders`` templates, which
``reading`` makes of XML · ``flattening`` pages become bytes, as ``writing`` says · ``rendering`` a page as a response.
"""

from .element import Element, renderer
from .flattening import flatten, flattenString
from .loaders import TEMPLATE_NAMESPACE, TagLoader, XMLFile, XMLString
from .rendering import renderElement
from .stan import CDATA, CharRef, Comment, Flattenable, Tag, slot
from .tags import VALID_HTML_TAG_NAMES, tags

__all__ = [
    "CDATA",
    "TEMPLATE_NAMESPACE",
    "VALID_HTML_TAG_NAMES",
    "CharRef",
    "Comment",
    "Element",
    "Flattenable",
    "Tag",
    "TagLoader",
    "XMLFile",
    "XMLString",
    "flatten",
    "flattenString",
    "renderElement",
    "renderer",
    "slot",
    "tags",
]
