"""What is read and written: heads, data, ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Data", "EndOfMessage", "Event", "Fields", "Request", "Response"]

Fields: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Name and value of each field, in order; names as they were written, values without white space around them."""


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request.

    :ivar method: the method, such as ``b"GET"``.
    :ivar target: the target, such as ``b"/index.html?q"``; see RFC 9112, 3.2 for its other forms.
    :ivar fields: the fields.
    :ivar version: ``b"HTTP/1.1"`` or ``b"HTTP/1.0"``; what is sent is always of 1.1.
    """

    method: bytes
    target: bytes
    fields: Fields = ()
    version: bytes = b"HTTP/1.1"


@dataclass(frozen=True, slots=True)
class Response:
    """The head of a response.

    :ivar status: the status code, 100 to 999.  Below 200 another response follows, but for 101.
    :ivar fields: the fields.
    :ivar reason: the reason phrase.
    :ivar version: ``b"HTTP/1.1"`` or ``b"HTTP/1.0"``; what is sent is always of 1.1.
    """

    status: int
    fields: Fields = ()
    reason: bytes = b""
    version: bytes = b"HTTP/1.1"


@dataclass(frozen=True, slots=True)
class Data:
    """A part of the body; how it is cut means nothing."""

    data: bytes


@dataclass(frozen=True, slots=True)
class EndOfMessage:
    """The end of a message.

    :ivar trailers: the fields after the body, which only bodies in chunks may have.
    """

    trailers: Fields = ()


Event: TypeAlias = Request | Response | Data | EndOfMessage
