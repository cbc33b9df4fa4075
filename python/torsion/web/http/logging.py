"""Lines of access logs."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from zope.interface import provider

from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.web.http.dates import monthname
from torsion.web.iweb import IAccessLogFormatter, IRequest

__all__ = [
    "apacheLogFormatter",
    "apacheProxiedLogFormatter",
    "combinedLogFormatter",
    "jsonLogFormatter",
    "proxiedLogFormatter",
]

_TIME = re.compile(r"\[(\d\d)/(\w{3})/(\d{4}):([\d:]{8}) ([+-]\d\d)(\d\d)\]", re.ASCII)


def _escape(data: bytes | str | None) -> str:
    """Return *data* as it can stand between quotes in a line of ASCII."""
    if data is None:
        return "-"
    text = data.decode("latin-1") if isinstance(data, bytes) else data
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return text.encode("unicode_escape").decode("ascii").replace('"', '\\"')


def _version(request: Any) -> str:
    """Return the version as other servers write it, who read such lines by a pattern: ``HTTP/2.0``."""
    return "HTTP/2.0" if request.clientproto == b"HTTP/2" else _escape(request.clientproto)


def _address(request: Any) -> str:
    client = request.getClientAddress()
    if isinstance(client, IPv4Address | IPv6Address):
        host: Any = client.host
        return _escape(host)
    if isinstance(client, UNIXAddress):
        return "unix"
    return "-"


def _line(timestamp: str, address: str, request: Any) -> str:
    referrer = _escape(request.getHeader(b"referer") or b"-")
    agent = _escape(request.getHeader(b"user-agent") or b"-")
    return (
        f'{address} - - {timestamp} "{_escape(request.method)} {_escape(request.uri)} {_version(request)}"'
        f' {request.code} {request.sentLength or "-"} "{referrer}" "{agent}"'
    )


@provider(IAccessLogFormatter)
def combinedLogFormatter(timestamp: str, request: IRequest) -> str:
    """Return a line of the combined format: client, time, request, code, bytes of the body, referrer, program.

    The client stands between quotes, as in Twisted's lines; not so in those of :func:`apacheLogFormatter`.
    """
    return _line(timestamp, f'"{_address(request)}"', request)


@provider(IAccessLogFormatter)
def apacheLogFormatter(timestamp: str, request: IRequest) -> str:
    """Return a line as Apache's, nginx's and others' are, which programs that read logs know: the client has no quotes.

    Quotes, backslashes and whatever is no printable ASCII are escaped, so that no client can forge a line or a field.
    """
    return _line(timestamp, _address(request), request)


@provider(IAccessLogFormatter)
def apacheProxiedLogFormatter(timestamp: str, request: IRequest) -> str:
    """Return a line as Apache's, with the client that X-Forwarded-For names first, if that is an address.

    Use it only behind a proxy that sets this header: else clients name themselves.
    """
    from ipaddress import ip_address

    forwarded = (request.getHeader(b"x-forwarded-for") or b"").split(b",", 1)[0].partition(b"%")[0].strip()
    try:
        address = str(ip_address(forwarded.decode("ascii")))
    except ValueError:
        address = _address(request)
    return _line(timestamp, address, request)


@provider(IAccessLogFormatter)
def proxiedLogFormatter(timestamp: str, request: IRequest) -> str:
    """Return a line of the combined format, with the client that X-Forwarded-For names first.

    Use it only behind a proxy that sets this header: else clients name themselves.
    """
    forwarded = request.getHeader(b"x-forwarded-for")
    address = _escape(forwarded.split(b",", 1)[0].strip()) if forwarded else _address(request)
    return _line(timestamp, f'"{address}"', request)


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "backslashreplace")


@lru_cache(maxsize=4)  # many requests end in the same second
def _iso(timestamp: str) -> str:
    """Return the time of an access log, ``[21/Nov/2026:23:00:00 +0000]``, as RFC 3339 writes it; anything else as it is."""
    found = _TIME.fullmatch(timestamp)
    if found is None or found[2] not in monthname:
        return timestamp.strip("[]")
    day, month, year, time, hours, minutes = found.groups()
    return f"{year}-{monthname.index(month):02}-{day}T{time}{hours}:{minutes}"


@provider(IAccessLogFormatter)
def jsonLogFormatter(timestamp: str, request: IRequest) -> str:
    """Return a line that is a JSON object, with the same fields as the combined format has.

    The time is as RFC 3339 has it, ``2026-11-21T23:00:00+00:00``, which programs that collect such lines read unasked.
    """
    asked: Any = request
    return json.dumps(
        {
            "time": _iso(timestamp),
            "client": _address(request),
            "method": _text(asked.method),
            "uri": _text(asked.uri),
            "protocol": _text(asked.clientproto),
            "status": asked.code,
            "bytes": asked.sentLength,
            "referrer": _text(asked.getHeader(b"referer")),
            "agent": _text(asked.getHeader(b"user-agent")),
        },
        separators=(",", ":"),
    )
