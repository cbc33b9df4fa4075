"""How the pieces of a page are written, as bytes: names, text, comments, sections, quoted attributes."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["attribute_escaped", "cdata", "comment", "encoded", "tag_name", "text_escaped"]

_FORBIDDEN_IN_NAMES = re.compile(rb"[\x00-\x20\x7f\"'<>/=]")

_NAMES_KEPT = 1024
"""So many names of tags and attributes are kept encoded: a program has a few hundred, and one that makes names of data forgets them."""


def encoded(data: bytes | str) -> bytes:
    """Return text in UTF-8; bytes as they are."""
    return data.encode("utf-8") if isinstance(data, str) else data


def text_escaped(data: bytes) -> bytes:
    """Return text for between tags."""
    return data.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")


def attribute_escaped(data: bytes) -> bytes:
    """Return text for between the quotation marks of an attribute."""
    return text_escaped(data).replace(b'"', b"&quot;")


@lru_cache(_NAMES_KEPT)
def tag_name(name: bytes | str) -> bytes:
    """Return the name of an element or an attribute.

    :raises UnicodeEncodeError: if it is not ASCII.
    :raises ValueError: if it is no name: has something in it that would end it (HTML, 13.1.2.3), or is empty.
    """
    data = name.encode("ascii") if isinstance(name, str) else name
    if not data or _FORBIDDEN_IN_NAMES.search(data):
        raise ValueError(
            f"{name!r} is no name of an element or an attribute: it must have neither spaces nor any of \" ' < > / ="
        )
    return data


def cdata(data: bytes) -> bytes:
    """Return a section of CDATA; where the text would end it, it is cut into two."""
    return b"<![CDATA[" + data.replace(b"]]>", b"]]]]><![CDATA[>") + b"]]>"


def comment(data: bytes) -> bytes:
    """Return a comment that neither HTML (13.1.6) nor XML (2.5) takes for ended before its end.

    ``>`` is escaped where it would end it, two hyphens are set apart, and one at the end has a space after it.
    """
    data = data.replace(b"-->", b"--&gt;").replace(b"--!>", b"--!&gt;")
    while b"--" in data:
        data = data.replace(b"--", b"- -")
    if data.startswith((b">", b"->")):
        data = data.replace(b">", b"&gt;", 1)
    return b"<!--" + data + (b" -->" if data.endswith(b"-") else b"-->")
