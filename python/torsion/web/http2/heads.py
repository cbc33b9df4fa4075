"""The head of a request: what h2 has unpacked, as those know it that handle requests of HTTP/1.1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Head", "ImproperError", "read_head"]

_METHOD: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PATH: Final = re.compile(rb"/[!-~\x80-\xff]*|\*")
_AUTHORITY: Final = re.compile(rb"[^\0-\x20\x7f-\xff/?#@\\,]*")
_NAMES: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]*")
_NO_VALUE: Final = re.compile(rb"[\0\r\n]")
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
"""What the first line of HTTP/1.1, and its fields, can have in them: what is behind relies on there being nothing else."""


class ImproperError(Exception):
    """A request cannot be passed on; its argument is the status code that says why."""


class Head:
    """What comes before a body: as :class:`torsion._native.HTTPHead`.

    :ivar method: the method.
    :ivar target: the path, with the query.
    :ivar fields: name and value of each field, in order; the first is Host.
    :ivar length: how many bytes the body has; None if only its end tells.
    :ivar expects_continue: whether the client waits for a word before it sends the body.
    """

    __slots__ = ("expects_continue", "fields", "length", "method", "target")

    version = b"HTTP/2"
    status = reason = None
    persistent = True
    upgrade = False
    chunked = False

    def __init__(self, method: bytes, target: bytes, fields: list[tuple[bytes, bytes]], length: int | None) -> None:
        self.method = method
        self.target = target
        self.fields = fields
        self.length = length
        self.expects_continue = any(value.lower() == b"100-continue" for value in self.values(b"expect"))

    @property
    def lower_fields(self) -> list[tuple[bytes, bytes]]:
        """The fields, with names in lower case, as all are: a new list."""
        return self.fields.copy()

    @property
    def conditional(self) -> bool:
        """Whether there is a condition, or a part is asked for: fields called ``If-…``, and ``Range``."""
        return any(name == b"range" or name[:3] == b"if-" for name, _ in self.fields)

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of the fields called *name*, whatever its case."""
        name = name.lower()
        return [value for known, value in self.fields if known == name]


def read_head(fields: Iterable[tuple[bytes, bytes]], whole: bool, line: int, most: int) -> Head:
    """Return the head of a request.

    :param fields: what came, with the fields that begin with a colon.
    :param whole: whether there is no body.
    :param line: how many bytes the path may have.
    :param most: how many fields there may be.
    :raises ImproperError: with 400 if it is not such as HTTP/1.1 lets pass, 414 or 431 if it is too long, 501 for CONNECT.
    """
    method = path = b""
    host: bytes | None = None
    cookies: list[bytes] = []
    lengths: list[bytes] = []
    found: list[tuple[bytes, bytes]] = []
    for name, value in fields:
        if name[:1] == b":":
            if name == b":method":
                method = value
            elif name == b":path":
                path = value
            elif name == b":authority":
                host = _same(host, value)
        elif name == b"cookie":  # in pieces: RFC 9113, 8.2.3
            cookies.append(value)
        elif name == b"host":
            host = _same(host, value)
        else:
            if name == b"content-length":
                lengths.append(value)
            found.append((name, value))
    if len(found) > most:
        raise ImproperError(431)
    if method == b"CONNECT":  # a tunnel is no request to a resource
        raise ImproperError(501)
    if len(path) > line:
        raise ImproperError(414)
    if cookies:
        found.append((b"cookie", b"; ".join(cookies)))
    if (
        _METHOD.fullmatch(method) is None
        or _PATH.fullmatch(path) is None
        or (host is not None and _AUTHORITY.fullmatch(host) is None)
        or _NAMES.fullmatch(b"".join([name for name, _ in found])) is None
        or _NO_VALUE.search(b"".join([value for _, value in found])) is not None
    ):
        raise ImproperError(400)
    length = 0 if whole else None
    if lengths:
        if len(lengths) > 1 or _LENGTH.fullmatch(lengths[0]) is None or (whole and int(lengths[0])):
            raise ImproperError(400)
        length = int(lengths[0])
    if host is not None:
        found.insert(0, (b"host", host))
    return Head(method, path, found, length)


def _same(known: bytes | None, value: bytes) -> bytes:
    if known is not None and known != value:
        raise ImproperError(400)
    return value
