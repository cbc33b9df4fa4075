"""The fields of a head: names, whatever their case, with the values that they have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar, overload

__all__ = ["Headers", "InvalidHeaderName"]

T = TypeVar("T")

_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, 5.6.2."""

_SPECIAL: Final = {word.lower(): word for word in (b"DNT", b"ETag", b"MD5", b"P3P", b"TE", b"WWW", b"XSS")}
"""Words of names that are written in another way than with one capital."""


class InvalidHeaderName(ValueError):
    """A header's name is no token: it has a space, a colon, a line end or another character that none may have."""


class NameEncoder:
    """Knows how names are written: ``Content-Type``, ``ETag``, ``WWW-Authenticate``."""

    _MAX_CACHED_HEADERS = 10_000
    """Names are made by peers: so many are remembered, and the memory of a name is not missed."""

    __slots__ = ("_canonicalHeaderCache",)

    def __init__(self) -> None:
        self._canonicalHeaderCache: dict[bytes | str, bytes] = {}

    def encode(self, name: bytes | str) -> bytes:
        """Return *name* as it is written.

        :raises InvalidHeaderName: if it is no token.
        :raises UnicodeEncodeError: if it cannot be written in ISO-8859-1.
        """
        known = self._canonicalHeaderCache.get(name)
        if known is not None:
            return known
        bare = name.encode("iso-8859-1") if isinstance(name, str) else name
        if _TOKEN.fullmatch(bare) is None:
            raise InvalidHeaderName(
                f"{name!r} cannot be a header's name: it may have letters, digits and !#$%&'*+-.^_`|~ only"
            )
        words = bare.lower().split(b"-")
        canonical = b"-".join(_SPECIAL.get(word) or word.capitalize() for word in words)
        if len(self._canonicalHeaderCache) < self._MAX_CACHED_HEADERS:
            self._canonicalHeaderCache[name] = canonical
        return canonical


_nameEncoder = NameEncoder()

_written = _nameEncoder._canonicalHeaderCache
"""How names are written, by how they are given: requests look here first."""


def _value(value: bytes | str) -> bytes:
    """Return *value* in one line: what is written must not begin another header."""
    data = value.encode("utf-8") if isinstance(value, str) else value
    if b"\n" in data or b"\r" in data:
        return b" ".join(data.splitlines())
    return data


class Headers:
    """Header fields, in the order in which their names came first.

    Names and values are bytes or text: names are ISO-8859-1, values UTF-8.  What is asked for by a name that is text is
    text, by bytes bytes.  A line end in a value becomes a space.
    """

    __slots__ = ("_rawHeaders",)

    def __init__(self, rawHeaders: Mapping[Any, Sequence[bytes | str]] | None = None) -> None:
        """Begin with some headers.

        :param rawHeaders: lists of values by name.
        :raises InvalidHeaderName: if a name is no token.
        """
        self._rawHeaders: dict[bytes, list[bytes]] = {}
        if rawHeaders is not None:
            for name, values in rawHeaders.items():
                self.setRawHeaders(name, values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._rawHeaders!r})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Headers):
            return self._rawHeaders == other._rawHeaders
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # they change

    def copy(self) -> Headers:
        """Return headers with the same values, which can be changed independently."""
        made = type(self)()
        made._rawHeaders = {name: values.copy() for name, values in self._rawHeaders.items()}
        return made

    def hasHeader(self, name: bytes | str) -> bool:
        """Return whether there is a header of that name."""
        return _nameEncoder.encode(name) in self._rawHeaders

    def removeHeader(self, name: bytes | str) -> None:
        """Take a header away, if it is there."""
        self._rawHeaders.pop(_nameEncoder.encode(name), None)

    def setRawHeaders(self, name: bytes | str, values: Sequence[bytes | str]) -> None:
        """Give a header these values, in the place of those that it has.

        :raises TypeError: if *name* is neither bytes nor text, or *values* is no list of such.
        :raises InvalidHeaderName: if *name* is no token.
        """
        if not isinstance(name, bytes | str):
            raise TypeError(f"Header name is an instance of {type(name)!r}, not bytes or str")
        if isinstance(values, bytes | str) or not isinstance(values, Sequence):
            raise TypeError(f"Header entry {name!r} should be sequence but found instance of {type(values)!r} instead")
        for index, value in enumerate(values):
            if not isinstance(value, bytes | str):
                raise TypeError(f"Header value at position {index} is an instance of {type(value)!r}, not bytes or str")
        self._rawHeaders[_nameEncoder.encode(name)] = [_value(value) for value in values]

    def addRawHeader(self, name: bytes | str, value: bytes | str) -> None:
        """Give a header one more value.

        :raises TypeError: if *name* or *value* is neither bytes nor text.
        :raises InvalidHeaderName: if *name* is no token.
        """
        if not isinstance(name, bytes | str):
            raise TypeError(f"Header name is an instance of {type(name)!r}, not bytes or str")
        if not isinstance(value, bytes | str):
            raise TypeError(f"Header value is an instance of {type(value)!r}, not bytes or str")
        canonical = _nameEncoder.encode(name)
        values = self._rawHeaders.get(canonical)
        if values is None:
            self._rawHeaders[canonical] = [_value(value)]
        else:
            values.append(_value(value))

    @overload
    def getRawHeaders(self, name: bytes) -> Sequence[bytes] | None: ...

    @overload
    def getRawHeaders(self, name: str) -> Sequence[str] | None: ...

    @overload
    def getRawHeaders(self, name: bytes, default: T) -> Sequence[bytes] | T: ...

    @overload
    def getRawHeaders(self, name: str, default: T) -> Sequence[str] | T: ...

    def getRawHeaders(self, name: bytes | str, default: Any = None) -> Any:
        """Return the values of a header, as text if *name* is text; *default* if it is not there."""
        values = self._rawHeaders.get(_nameEncoder.encode(name))
        if values is None:
            return default
        if isinstance(name, str):
            return [value.decode("utf-8") for value in values]
        return values

    def getAllRawHeaders(self) -> Iterator[tuple[bytes, Sequence[bytes]]]:
        """Return an iterator over the names, as they are written, and their values."""
        return iter(self._rawHeaders.items())
