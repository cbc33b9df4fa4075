"""Answers of HTTP/1.1: a status, a body, and the header fields that keep browsers from doing more with it."""

from __future__ import annotations

import time
from typing import NamedTuple

__all__ = ["JSON", "TEXT", "Answer", "failure"]

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

_PHRASES = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    414: "URI Too Long",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Nothing may be loaded, framed, sent or kept, but for what an answer's own policy allows.
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_ALWAYS = (
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
)


class Answer(NamedTuple):
    """What is answered to a request."""

    status: int
    type: str
    """The media type of the body."""
    body: bytes
    policy: str = ""
    """What the body may load, as directives of a content security policy; nothing if empty."""

    def data(self, *, head: bool, persistent: bool) -> bytes:
        """Return what is sent.

        :param head: whether the body is left away, as a HEAD request wants it.
        :param persistent: whether the connection goes on.
        """
        policy = f"{_NOTHING}; {self.policy}" if self.policy else _NOTHING
        extra = {405: "Allow: GET, HEAD\r\n", 503: "Retry-After: 1\r\n"}.get(self.status, "")
        lines = (
            f"HTTP/1.1 {self.status} {_PHRASES[self.status]}\r\n"
            f"Date: {_date(time.time())}\r\n"
            f"Content-Type: {self.type}\r\n"
            f"Content-Length: {len(self.body)}\r\n"
            f"{'' if persistent else 'Connection: close' + chr(13) + chr(10)}"
            f"{extra}"
            f"{_ALWAYS}"
            f"Content-Security-Policy: {policy}\r\n"
            "\r\n"
        )
        return lines.encode("ascii") + (b"" if head else self.body)


def failure(status: int, reason: str) -> Answer:
    """Return an answer that says why something is not answered.

    :param reason: a sentence; nothing that the peer sent is to be in it.
    """
    return Answer(status, TEXT, f"{status} {_PHRASES[status]}\n{reason}\n".encode())


def _date(seconds: float) -> str:
    """Return a time as RFC 9110, 5.6.7 wants it, whatever the locale."""
    now = time.gmtime(seconds)
    return f"{_DAYS[now.tm_wday]}, {now.tm_mday:02} {_MONTHS[now.tm_mon - 1]} {now.tm_year:04} {now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02} GMT"
