"""URIs, taken apart and put together."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urljoin as _join
from urllib.parse import urlparse as _parse
from urllib.parse import urlunparse as _unparse

__all__ = ["URI", "check_method", "check_uri", "urljoin", "urlunparse"]

_METHOD: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token: RFC 9110, 5.6.2."""

_URI: Final = re.compile(rb"[\x21-\x7e]+")
"""Printable, and no space: what could end the request's line, or begin another one, is none of it."""

DEFAULT_PORTS: Final = {b"http": 80, b"https": 443}


def check_method(method: Any) -> bytes:
    """Return a method, if it is one.

    :raises TypeError: if it is not bytes.
    :raises ValueError: if it has characters that no method has.
    """
    if not isinstance(method, bytes):
        raise TypeError(f"method={method!r} is {type(method).__name__}, but must be bytes")
    if _METHOD.fullmatch(method) is None:
        raise ValueError(f"Invalid method {method!r}")
    return method


def check_uri(uri: Any) -> bytes:
    """Return a URI without spaces around it, if it can be sent.

    :raises TypeError: if it is not bytes.
    :raises ValueError: if it has spaces, control characters or bytes beyond ASCII: they are to be percent-encoded.
    """
    if not isinstance(uri, bytes):
        raise TypeError(f"uri={uri!r} is {type(uri).__name__}, but must be bytes")
    stripped = uri.strip()
    if _URI.fullmatch(stripped) is None:
        raise ValueError(f"Invalid URI {uri!r}")
    return stripped


def urlunparse(parts: Any) -> bytes:
    """Put the six parts of a URI together: bytes, or text of ASCII letters."""
    made = _unparse(tuple(parts))
    return made.encode("ascii") if isinstance(made, str) else bytes(made)


@lru_cache(maxsize=512)  # programs ask for the same again and again; most are far shorter than 1 KiB
def _split(uri: bytes) -> tuple[bytes, bytes, bytes, int | None, bytes, bytes, bytes, bytes]:
    scheme, netloc, path, params, query, fragment = _parse(uri)
    host, port = netloc, DEFAULT_PORTS.get(scheme, 80) if netloc else None
    before, colon, digits = netloc.rpartition(b":")
    if colon and digits.isdigit():
        host, port = before, int(digits)
    if host[:1] == b"[" and host[-1:] == b"]":
        host = host[1:-1]
    return scheme, netloc, host, port, path, params, query, fragment


def urljoin(base: bytes, uri: bytes) -> bytes:
    """Resolve a reference: RFC 9110, 10.2.2: the fragment of *base* is kept, unless *uri* has one."""
    bare, _, fragment = base.partition(b"#")
    joined = _join(bare, uri)
    if fragment and b"#" not in uri:
        return joined.partition(b"#")[0] + b"#" + fragment
    return joined


class URI:
    """A URI, in its parts, all of them bytes but the port.

    :ivar scheme: such as ``b"https"``.
    :ivar netloc: host and port as they were written.
    :ivar host: the host, without the brackets of an IPv6 address.
    :ivar port: the port, or that of the scheme.
    :ivar path: the path.
    :ivar params: what stands behind a semicolon at its end.
    :ivar query: what stands behind the question mark.
    :ivar fragment: what stands behind the number sign.
    """

    __slots__ = ("fragment", "host", "netloc", "params", "path", "port", "query", "scheme")

    def __init__(
        self,
        scheme: bytes,
        netloc: bytes,
        host: bytes,
        port: int,
        path: bytes,
        params: bytes,
        query: bytes,
        fragment: bytes,
    ) -> None:
        self.scheme = scheme
        self.netloc = netloc
        self.host = host
        self.port = port
        self.path = path
        self.params = params
        self.query = query
        self.fragment = fragment

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.toBytes()!r}>"

    @classmethod
    def fromBytes(cls, uri: bytes, defaultPort: int | None = None) -> URI:
        """Take *uri* apart.

        :param uri: the URI; white space around it is left out.
        :param defaultPort: the port, if the URI has none; that of the scheme by default.
        """
        scheme, netloc, host, port, path, params, query, fragment = _split(uri.strip())
        if defaultPort is not None and not netloc.rpartition(b":")[2].isdigit():
            port = defaultPort
        return cls(scheme, netloc, host, 80 if port is None else port, path, params, query, fragment)

    def toBytes(self) -> bytes:
        """Return all of it."""
        return urlunparse(
            (self.scheme, self.netloc, self.path, self.params, self.query, self.fragment),
        )

    @property
    def originForm(self) -> bytes:
        """The path and the query: what a request to a server names (RFC 9112, 3.2.1)."""
        path = self.path or b"/"
        if self.params:
            path += b";" + self.params
        return path + b"?" + self.query if self.query else path
