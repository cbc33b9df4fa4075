"""What callers say, looked at: each mistake is told by its name, with what to do."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode, urlsplit, urlunsplit

from torsion.web.client import Timeouts
from torsion.web.client.timeouts import HEAD, IDLE
from torsion.web.error import SchemeNotSupported
from torsion.web.http_headers import Headers

__all__ = ["basic", "checked_method", "checked_redirects", "limits_of", "put", "to_uri", "with_params", "without_login"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
"""What ``urlsplit`` would leave out, so that another host is asked than the one that is read."""

_SAFE = "/%:@!$&'()*+,;=~-._"


def to_uri(url: Any) -> tuple[bytes, bytes | None]:
    """Return a URL as it is sent, and what Authorization says if a user's name and password are in it.

    :raises TypeError: if it is not text.
    :raises ValueError: if it is no URL, or its host has a name that cannot be.
    :raises SchemeNotSupported: if it is of another scheme than ``http`` and ``https``.
    """
    if not isinstance(url, str):
        hint = ": decode it first" if isinstance(url, bytes) else ""
        raise TypeError(f"the URL is text, such as 'https://example.com/', not {type(url).__name__}{hint}: {url!r}")
    return _to_uri(url)


@lru_cache(maxsize=512)  # programs ask for the same again and again
def _to_uri(url: str) -> tuple[bytes, bytes | None]:
    bare = url.strip()
    if _CONTROL.search(bare):
        raise ValueError(f"the URL has control characters in it: {url!r}")
    try:
        parts = urlsplit(bare)
        port = parts.port
    except ValueError as wrong:
        raise ValueError(f"{url!r} is no URL: {wrong}") from None
    if parts.scheme not in {"http", "https"}:
        if not parts.netloc and "://" not in bare:
            raise SchemeNotSupported(f"{url!r} does not begin with 'https://' or 'http://'")
        raise SchemeNotSupported(f"{url!r} is of the scheme {parts.scheme!r}: there are 'https' and 'http'")
    if "\\" in parts.netloc:  # browsers take it for a slash: they would ask another host than we
        raise ValueError(
            f"{url!r} has a backslash in its host: write %5C in a user's name or password, and / before a path"
        )
    host = parts.hostname or ""
    if not host or any(each.isspace() for each in host):
        raise ValueError(f"{url!r} names no host" + (f" that can be: {host!r}" if host else ""))
    if not host.isascii():
        host = _idna(host, url)
    if ":" in host:
        host = f"[{host}]"
    netloc = host if port is None else f"{host}:{port}"
    login = None
    if parts.username is not None:
        login = basic(unquote_to_bytes(parts.username), unquote_to_bytes(parts.password or ""))
    path, query = quote(parts.path or "/", safe=_SAFE), quote(parts.query, safe=_SAFE + "?")
    return urlunsplit((parts.scheme, netloc, path, query, "")).encode("ascii"), login


def _idna(host: str, url: str) -> str:
    try:
        import idna  # comes with the extra "tls"
    except ImportError as error:
        raise ImportError(f"the host of {url!r} is not ASCII, which needs idna: pip install torsion[tls]") from error
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as wrong:
        raise ValueError(f"the host of {url!r} is no name of the Internet: {wrong}") from None


def without_login(url: str) -> str:
    """Return a URL as it can be shown: without a user's name and password."""
    before, slashes, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return before + slashes + authority.rpartition("@")[2] + slash + path


def basic(name: Any, password: Any) -> bytes:
    """Return what Authorization says by the scheme Basic: RFC 7617.

    :raises TypeError: if one is neither text nor bytes.
    :raises ValueError: if the name has a colon in it.
    """
    both = []
    for each in (name, password):
        if not isinstance(each, str | bytes):
            raise TypeError("auth is a pair of a user's name and a password, both of them text")
        both.append(each.encode() if isinstance(each, str) else each)
    if b":" in both[0]:
        raise ValueError("a user's name cannot have a colon in it")
    return b"Basic " + base64.b64encode(b":".join(both))


def checked_method(method: Any) -> bytes:
    """Return a method as it is sent; whether it has characters that no method has, the agent looks at.

    :raises TypeError: if it is not text.
    :raises ValueError: if it is not ASCII.
    """
    if not isinstance(method, str):
        raise TypeError(f"the method is text, such as 'GET', not {type(method).__name__}: {method!r}")
    if not method.isascii():
        raise ValueError(f"{method!r} is no method: it has letters that are not ASCII")
    return method.encode("ascii")


def checked_redirects(redirects: Any) -> int:
    """Return how many redirects to follow.

    :raises ValueError: if it is no such number.
    """
    if isinstance(redirects, bool) or not isinstance(redirects, int) or redirects < 0:
        raise ValueError(f"redirects is how many to follow, 0 for none, not {redirects!r}")
    return redirects


def put(fields: Headers, headers: Any) -> Headers:
    """Set *headers* in *fields*, which is returned.

    :raises TypeError: if they are no mapping of text to text.
    :raises ValueError: if a value has a line end in it, or a name is none.
    """
    if isinstance(headers, Headers):
        for name, values in headers.getAllRawHeaders():
            fields.setRawHeaders(name, values)
        return fields
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers is a mapping of names to values, such as a dict, not {type(headers).__name__}")
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"names and values of headers are text, not {name!r}: {value!r}")
        if "\r" in value or "\n" in value or "\0" in value:
            raise ValueError(f"the value of the header {name} has a line end in it: {value!r}")
        fields.setRawHeaders(name, [value])
    return fields


def with_params(uri: bytes, params: Any) -> bytes:
    """Add *params* to a URI behind its question mark.

    :raises TypeError: if they are neither a mapping nor pairs.
    """
    return uri + (b"&" if b"?" in uri else b"?") + encoded("params", params)


def encoded(what: str, pairs: Any) -> bytes:
    """Return fields as a form is sent, and a query.

    :raises TypeError: if they are neither a mapping nor pairs.
    """
    if isinstance(pairs, str | bytes) or not isinstance(pairs, Mapping | Iterable):
        raise TypeError(f"{what} is a mapping of names to values, or pairs of them, not {type(pairs).__name__}")
    try:
        return urlencode(list(pairs.items()) if isinstance(pairs, Mapping) else list(pairs), doseq=True).encode("ascii")
    except (TypeError, ValueError):
        raise TypeError(f"{what} is a mapping of names to values, or pairs of them: {pairs!r}") from None


def limits_of(timeout: Any) -> Timeouts:
    """Return the limits that *timeout* means.

    :raises TypeError: if it is neither a number nor :class:`Timeouts`.
    :raises ValueError: if it is not above 0.
    """
    if timeout is None:
        return Timeouts(head=None, idle=None)
    if isinstance(timeout, Timeouts):
        return timeout
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"timeout is a number of seconds, Timeouts, or None for any time, not {timeout!r}")
    return Timeouts(head=max(HEAD, timeout), idle=max(IDLE, timeout), total=timeout)  # who allows an hour means it
