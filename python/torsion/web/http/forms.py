"""What forms and queries say: URLs in parts, names with values, and bodies of several parts."""

from __future__ import annotations

import re
from binascii import a2b_qp
from typing import IO
from urllib.parse import ParseResultBytes
from urllib.parse import urlparse as _urlparse

from torsion.logger import Logger
from torsion.web.http.parts import FormError, FormReader, boundaryOf

__all__ = ["FormError", "parseForm", "parse_qs", "urlparse"]

MOST_FIELDS = 10_000
"""How many names a query or a form may have: far more than any form has, and few enough to be parsed in some milliseconds."""

MOST_IN_ARGS = 16 * 1024 * 1024
"""A form is read into ``args`` if its body has at most so many bytes, since all of it is then kept in memory."""

MOST_WITHOUT = 1024 * 1024
"""The same for the stdlib's reader of mail, which takes many times as much memory, and time, as there is to read."""

_BLOCK = 256 * 1024

MOST_WRONG = 10_000
"""A name or a value may have so many percent signs that escape nothing, and stand for themselves: whoever sends more has not escaped
at all, and each costs more than a byte should."""

_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")

_log = Logger()


def urlparse(url: bytes) -> ParseResultBytes:
    """Return the six parts of a URL, as bytes.

    :raises TypeError: if *url* is text.
    """
    if isinstance(url, str):
        raise TypeError("url must be bytes, not str")
    scheme, netloc, path, params, query, fragment = _urlparse(url)
    return ParseResultBytes(scheme, netloc, path, params, query, fragment)


def parse_qs(qs: bytes, keep_blank_values: object = 0, strict_parsing: object = 0) -> dict[bytes, list[bytes]]:
    """Return the lists of values by name of a query.

    :param keep_blank_values: whether names without a value are there, with an empty one.
    :param strict_parsing: whether what has no ``=`` is an error.
    :raises ValueError: if it is, or there are more than 10,000 names, or as many percent signs in one of them that escape nothing.
    """
    found: dict[bytes, list[bytes]] = {}
    if not qs:
        return found
    pairs = qs.replace(b";", b"&").split(b"&") if b";" in qs else qs.split(b"&")
    if len(pairs) > MOST_FIELDS:
        raise FormError(f"a form may have {MOST_FIELDS} fields, not {len(pairs)}")
    for pair in pairs:
        name, equals, value = pair.partition(b"=")
        if not equals:
            if strict_parsing:
                raise ValueError(f"bad query field: {pair!r}")
            if not keep_blank_values or not name:
                continue
        if value or keep_blank_values:
            found.setdefault(_plain(name), []).append(_plain(value))
    return found


def _plain(word: bytes) -> bytes:
    if b"+" in word:
        word = word.replace(b"+", b" ")
    if b"%" not in word:
        return word
    if b"%%" in word:
        word = word.replace(b"%%", b"%25%").replace(b"%%", b"%25%")  # twice, as those that it makes stand side by side
    word, wrong = _NO_ESCAPE.subn(b"%25", word, MOST_WRONG)
    if wrong == MOST_WRONG:
        raise FormError(f"a field of a form may have {MOST_WRONG - 1} percent signs that escape nothing, not more")
    # Mail's escapes are the same but for their first byte, and are decoded in C: a megabyte of them in some milliseconds.
    return a2b_qp(word.replace(b"=", b"=3D").replace(b"%", b"="))


def parseForm(contentType: bytes, content: IO[bytes]) -> dict[bytes, list[bytes]]:
    """Return the lists of values by name of a form's body, files included; none if it is no form, or one too large to be kept in memory.

    :param contentType: the value of Content-Type.
    :param content: the body; it is read from where it stands.
    :raises FormError: if it is malformed.
    """
    kind = contentType.split(b";", 1)[0].strip().lower()
    if kind not in (b"application/x-www-form-urlencoded", b"multipart/form-data"):
        return {}
    size = _size(content)
    if size > MOST_IN_ARGS:
        _log.warn(
            "A form of {size} bytes is not read into args: torsion.web.http.uploads.readForm() keeps files on the disk",
            size=size,
        )
        return {}
    if kind == b"multipart/form-data":
        return _multipart(contentType, content, size)
    return parse_qs(content.read(), 1)


def _multipart(contentType: bytes, content: IO[bytes], size: int) -> dict[bytes, list[bytes]]:
    """Return what is in a form with files, the files too."""
    boundary = boundaryOf(contentType)
    try:
        reader = FormReader(boundary, maxFieldsSize=MOST_IN_ARGS, newFile=None)
    except ImportError:
        if size > MOST_WITHOUT:
            raise FormError(
                f"a form with files has at most {MOST_WITHOUT} bytes where the package multipart is not installed: "
                "pip install torsion[forms]"
            ) from None
        return _multipart_by_email(contentType, content.read())
    while block := content.read(_BLOCK):
        reader.feed(block)
    return reader.end().fields


def _size(content: IO[bytes]) -> int:
    """Return how many bytes there are from where a file stands."""
    start = content.tell()
    end = content.seek(0, 2)
    content.seek(start)
    return end - start


def _multipart_by_email(contentType: bytes, body: bytes) -> dict[bytes, list[bytes]]:
    from email import message_from_bytes
    from email.message import Message

    whole = message_from_bytes(b"MIME-Version: 1.0\r\nContent-Type: " + contentType + b"\r\n\r\n" + body)
    found: dict[bytes, list[bytes]] = {}
    if not whole.is_multipart():
        raise FormError("the body of the form has no parts")
    for part in whole.get_payload():
        if not isinstance(part, Message):
            continue
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            value = part.get_payload(decode=True)
            if isinstance(value, bytes):
                found.setdefault(name.encode("utf-8", "surrogateescape"), []).append(value)
    return found
