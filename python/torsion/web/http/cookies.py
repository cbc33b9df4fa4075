"""Cookies: RFC 6265."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["makeCookie", "parseCookieHeaders"]


def parseCookieHeaders(values: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return the cookies in the values of Cookie; what is no cookie is skipped."""
    found: dict[bytes, bytes] = {}
    for value in values:
        for cookie in value.split(b";"):
            name, equals, content = cookie.lstrip().partition(b"=")
            if equals:
                found[name] = content
    return found


def _plain(value: bytes | str) -> bytes:
    """Return *value* as bytes in which nothing ends an attribute or a header."""
    data = value.encode("utf-8") if isinstance(value, str) else value
    if b"\r" in data or b"\n" in data:
        data = b" ".join(data.splitlines())
    return data.replace(b";", b" ")


def makeCookie(
    k: bytes | str,
    v: bytes | str,
    attributes: Iterable[tuple[bytes, bytes | str | None]],
    secure: object,
    httpOnly: object,
    sameSite: bytes | str | None,
) -> bytes:
    """Return the value of a Set-Cookie.

    :raises ValueError: if *sameSite* is neither lax, strict nor none, or is none without *secure*.
    """
    cookie = _plain(k) + b"=" + _plain(v)
    for name, value in attributes:
        if value is not None:
            cookie += b"; " + name + b"=" + _plain(value)
    if secure:
        cookie += b"; Secure"
    if httpOnly:
        cookie += b"; HttpOnly"
    if sameSite:
        kind = _plain(sameSite).lower()
        if kind not in (b"lax", b"strict", b"none"):
            raise ValueError(f"Invalid value for sameSite: {kind!r}")
        if kind == b"none" and not secure:
            raise ValueError(f'Invalid value for sameSite: {kind!r}. Missing the "secure" attribute')
        cookie += b"; SameSite=" + kind
    return cookie
