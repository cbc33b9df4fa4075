"""URLs that are walked like paths."""

from __future__ import annotations

from typing import Any, overload
from urllib.parse import quote_from_bytes, unquote_to_bytes, urljoin, urlsplit, urlunsplit

__all__ = ["URLPath"]

# What a URL is made of (RFC 3986), percent signs among it: what is quoted already stays as it is.
_SAFE = "!#$%&'()*+,-./:;=?@[]_~"
_SAFE_IN_SEGMENT = "!$%&'()*+,-.:;=@_~"


class _Part:
    """A part of a URL: bytes, made of what it is set to."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    @overload
    def __get__(self, instance: None, owner: type) -> _Part: ...

    @overload
    def __get__(self, instance: object, owner: type) -> bytes: ...

    def __get__(self, instance: object | None, owner: type) -> _Part | bytes:
        if instance is None:
            return self
        value: bytes = getattr(instance, self._name)
        return value

    def __set__(self, instance: object, value: bytes | str) -> None:
        setattr(instance, self._name, _quoted(value))


class URLPath:
    """A URL that knows its parts, and its neighbours.

    The parts are ASCII bytes. They may be set, as bytes or as text.
    """

    _PARTS = ("scheme", "netloc", "path", "query", "fragment")

    scheme = _Part("What is before ``://``.")
    netloc = _Part("The host, and the port if there is one.")
    path = _Part("The path, which begins with a slash; what is quoted in it stays quoted.")
    query = _Part("What comes after ``?``.")
    fragment = _Part("What comes after ``#``.")

    def __init__(
        self,
        scheme: bytes | str = b"",
        netloc: bytes | str = b"",
        path: bytes | str = b"",
        query: bytes | str = b"",
        fragment: bytes | str = b"",
    ) -> None:
        """Make a URL of its parts; without scheme, host and path it is ``http``, ``localhost`` and ``/``."""
        self.scheme = scheme or b"http"
        self.netloc = netloc or b"localhost"
        self.path = path or b"/"
        self.query = query
        self.fragment = fragment

    @classmethod
    def fromString(cls, url: str) -> URLPath:
        """Return the URL that *url* is; what is not ASCII is quoted, as UTF-8.

        :raise ValueError: if it is not text, or no URL.
        """
        if not isinstance(url, str):
            raise ValueError(f"'url' must be a str, not {type(url).__name__}")  # noqa: TRY004 - as documented
        return cls(*urlsplit(_quoted(url)))

    @classmethod
    def fromBytes(cls, url: bytes) -> URLPath:
        """Return the URL that *url* is; what is not ASCII is quoted.

        :raise ValueError: if it is not bytes, or no URL.
        """
        if not isinstance(url, bytes):
            raise ValueError(f"'url' must be bytes, not {type(url).__name__}")  # noqa: TRY004 - as documented
        return cls(*urlsplit(_quoted(url)))

    @classmethod
    def fromRequest(cls, request: Any) -> URLPath:
        """Return the URL of a request of ``web.server``, as far as it has been followed."""
        return cls.fromBytes(request.prePathURL())

    def pathList(self, unquote: bool = False, copy: bool = True) -> list[bytes]:
        """Return the segments of the path; the first is empty.

        :param unquote: whether what is quoted is given as it is meant.
        :param copy: without meaning; the list is always a new one.
        """
        return [unquote_to_bytes(each) if unquote else each for each in self.path.split(b"/")]

    def _with(self, segments: list[bytes], keepQuery: bool) -> URLPath:
        return URLPath(self.scheme, self.netloc, b"/".join(segments), self.query if keepQuery else b"")

    def sibling(self, path: bytes | str, keepQuery: bool = False) -> URLPath:
        """Return the URL with *path* instead of its last segment."""
        return self._with([*self.pathList()[:-1], _quoted(path, _SAFE_IN_SEGMENT)], keepQuery)

    def child(self, path: bytes | str, keepQuery: bool = False) -> URLPath:
        """Return the URL with the segment *path* put to its end."""
        segments = self.pathList()
        return self._with([*(segments if segments[-1] else segments[:-1]), _quoted(path, _SAFE_IN_SEGMENT)], keepQuery)

    def parent(self, keepQuery: bool = False) -> URLPath:
        """Return the URL of the directory above the one that this is in (``..``); the root's is itself."""
        return self._with([*(self.pathList()[:-2] or [b""]), b""], keepQuery)

    def here(self, keepQuery: bool = False) -> URLPath:
        """Return the URL of the directory that this is in (``.``)."""
        return self.sibling(b"", keepQuery)

    def click(self, st: bytes | str) -> URLPath:
        """Return the URL that a link to *st* leads to, in what this URL stands for."""
        return URLPath.fromBytes(urljoin(bytes(self), _quoted(st)))

    def __bytes__(self) -> bytes:
        return urlunsplit((self.scheme, self.netloc, self.path, self.query, self.fragment))

    def __str__(self) -> str:
        return bytes(self).decode("ascii")

    def __eq__(self, other: object) -> bool:
        return bytes(self) == bytes(other) if isinstance(other, URLPath) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # its parts may be set

    def __repr__(self) -> str:
        return f"URLPath({', '.join(f'{part}={getattr(self, part)!r}' for part in self._PARTS)})"


def _quoted(text: bytes | str, safe: str = _SAFE) -> bytes:
    raw = text.encode("utf-8") if isinstance(text, str) else text
    return quote_from_bytes(raw, safe).encode("ascii")
