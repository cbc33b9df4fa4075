"""Requests of HTTP/1.1 (RFC 9112), as few of them as a page of figures needs: GET and HEAD, without a body.

Nothing is read but heads, so there is nothing that two readers could understand differently: whatever announces a body, is
folded over lines, ends a line otherwise than with CR LF or names two hosts is refused, and the connection ends there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["MAX_FIELDS", "MAX_HEAD", "MAX_TARGET", "Refusal", "Request", "RequestReader"]

MAX_TARGET = 2048
"""How many bytes a request's target may have; the longest that there is has fewer than 20, the rest is for a proxy's whims."""

MAX_HEAD = 16384
"""How many bytes a head may have, request line and all: twice what common servers take, since cookies of other applications
on the same host come along."""

MAX_FIELDS = 100
"""How many fields a head may have; browsers send some twenty, proxies add a few."""

_MAX_LINE = MAX_TARGET + 64  # the method, the version and two spaces are in it as well
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]\Z")
_TARGET = re.compile(rb"[!-~]+\Z")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)([^#]*)\Z", re.IGNORECASE)
_VALUE = re.compile(rb"[\t -~\x80-\xff]*\Z")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._\-]*)(?::[0-9]{0,5})?\Z")
_ZERO = re.compile(rb"0+\Z")


class Request(NamedTuple):
    """One request."""

    method: str
    """``GET`` or ``HEAD``."""
    path: str
    """What the target says before a question mark; begins with a slash.  Percent signs are left as they are."""
    host: str | None
    """The host that was asked for, in lower case, without the port and without the brackets of an IPv6 address; None in
    HTTP/1.0, where it need not be told."""
    accept: str
    """The media types that the client wants, as it says."""
    persistent: bool
    """Whether the connection may go on after the answer."""


class Refusal(NamedTuple):
    """A request that is not served; the connection is to be closed after the answer."""

    status: int
    reason: str
    """A sentence for whoever sent it."""
    head: bool = False
    """Whether it was a HEAD request, so that the answer has no body."""


class _Refused(Exception):
    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason


class RequestReader:
    """Cuts requests out of bytes, however these are cut.

    It holds at most one head that is not whole yet, and what came behind the request that was given last; whoever feeds it is to
    stop reading while a request is being served.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._size = 0
        self._searched = 0
        self._over = False

    @property
    def begun(self) -> bool:
        """Whether a part of a request is held."""
        return bool(self._buffer or self._lines)

    def receive(self, data: bytes) -> None:
        """Take bytes; after a refusal they are dropped."""
        if not self._over:
            self._buffer += data

    def next(self) -> Request | Refusal | None:
        """Return the next request, or a refusal, after which there is nothing more; None if there is none yet."""
        if self._over:
            return None
        try:
            while (line := self._line()) is not None:
                if line:
                    self._lines.append(line)
                    if len(self._lines) > MAX_FIELDS + 1:
                        raise _Refused(431, f"A request has {MAX_FIELDS} header fields at most.")
                elif self._lines:  # RFC 9112, 2.2: an empty line before a request is ignored
                    return self._request()
        except _Refused as refused:
            self._over = True
            head = bool(self._lines) and self._lines[0].startswith(b"HEAD ")
            self._buffer.clear()
            self._lines.clear()
            return Refusal(refused.status, refused.reason, head)
        return None

    def _line(self) -> bytes | None:
        """Take the next line off the buffer, or say that it is not whole, or refuse it."""
        end = self._buffer.find(b"\n", self._searched)
        length = len(self._buffer) if end < 0 else end + 1
        if not self._lines and length > _MAX_LINE:
            raise _Refused(414, f"The target of a request has {MAX_TARGET} bytes at most.")
        if self._size + length > MAX_HEAD:
            raise _Refused(431, f"The head of a request has {MAX_HEAD} bytes at most.")
        if end < 0:
            self._searched = length
            return None
        if self._buffer[end - 1 : end] != b"\r":
            raise _Refused(400, "Each line of a request ends with CR LF.")
        line = bytes(self._buffer[: end - 1])
        del self._buffer[:length]
        self._searched = 0
        self._size += length
        return line

    def _request(self) -> Request:
        lines, self._lines, self._size = self._lines, [], 0
        try:
            method, target, newer = _first_line(lines[0])
            fields = _fields(lines[1:])
            if method not in {"GET", "HEAD"}:
                raise _Refused(405, "There is nothing here but to GET, or to look at with HEAD.")
            if b"transfer-encoding" in fields or not all(
                _ZERO.match(each) for each in fields.get(b"content-length", [])
            ):
                raise _Refused(400, "A request has no body here.")
            host, path = _place(target, fields.get(b"host", []), newer)
        except _Refused:
            self._lines = lines[:1]  # which tell whether the answer may have a body
            raise
        wishes = b",".join(fields.get(b"connection", [])).lower().replace(b" ", b"").replace(b"\t", b"").split(b",")
        accept = b", ".join(fields.get(b"accept", [])).decode("latin-1")
        return Request(method, path, host, accept, newer and b"close" not in wishes)


def _first_line(line: bytes) -> tuple[str, bytes, bool]:
    """Return method and target, and whether the version is 1.1 or later."""
    parts = line.split(b" ")
    if len(parts) != 3 or not _TOKEN.match(parts[0]) or not _VERSION.match(parts[2]):
        raise _Refused(400, "This is no request line of HTTP/1.1.")
    method, target, version = parts
    if not version.startswith(b"HTTP/1."):
        raise _Refused(505, "This server speaks HTTP/1.1.")
    if not _TARGET.match(target):
        raise _Refused(400, "The target of the request has letters that it cannot have.")
    if len(target) > MAX_TARGET:
        raise _Refused(414, f"The target of a request has {MAX_TARGET} bytes at most.")
    return method.decode("ascii"), target, version != b"HTTP/1.0"


def _fields(lines: list[bytes]) -> dict[bytes, list[bytes]]:
    fields: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.match(name) or not _VALUE.match(value):
            raise _Refused(400, "A header field of the request is none: a name, a colon and a value on one line.")
        fields.setdefault(name.lower(), []).append(value.strip(b" \t"))
    return fields


def _place(target: bytes, hosts: list[bytes], newer: bool) -> tuple[str | None, str]:
    """Return the host that is asked, and the path; RFC 9112, 3.2 and 3.3."""
    if len(hosts) > 1 or (newer and not hosts):
        raise _Refused(400, "A request of HTTP/1.1 has one Host field.")
    host = _host(hosts[0]) if hosts else None
    if absolute := _ABSOLUTE.match(target):
        authority, target = absolute.groups()
        host = _host(authority)
        target = target if target.startswith(b"/") else b"/" + target
    if not target.startswith(b"/"):
        raise _Refused(400, "The target of the request is neither a path nor a URL.")
    return host, target.partition(b"?")[0].decode("ascii")


def _host(text: bytes) -> str:
    found = _HOST.match(text.decode("latin-1"))
    if found is None:
        raise _Refused(400, "The host that the request names is none.")
    return found[1].strip("[]").lower()
