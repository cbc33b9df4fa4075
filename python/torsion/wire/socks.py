"""SOCKS 4 and 4a: what a client asks of a proxy, and what it is answered.

There is no RFC; these are the memos "SOCKS: A protocol for TCP proxy across firewalls" by Ying-Da Lee, and its extension
4A, by which names are looked up by the proxy.  A client sends one request, and everything after it belongs to the
connection that was asked for.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import AddressValueError, IPv4Address
from typing import Final

from torsion.wire._base import LimitExceeded, LocalProtocolError, RemoteProtocolError
from torsion.wire._preface import PrefaceReader

__all__ = [
    "MAX_HOST",
    "MAX_USER",
    "Command",
    "Reply",
    "ReplyCode",
    "Request",
    "RequestReader",
    "encode_reply",
    "encode_request",
]

MAX_USER: Final = 255
"""Longest user name, in bytes.  The memo says nothing; this is what version 5 allows (RFC 1929), and more than systems do."""

MAX_HOST: Final = 255
"""Longest host name, in bytes: there are no longer ones (RFC 1035, section 2.3.4)."""

_HEAD: Final = struct.Struct("!BBH4s")
_VERSION: Final = 4


class Command(IntEnum):
    """What can be asked for."""

    CONNECT = 1
    """A connection to a port."""
    BIND = 2
    """A port at the proxy, for a connection from the host that is named."""


class ReplyCode(IntEnum):
    """What can be answered."""

    GRANTED = 90
    REFUSED = 91
    """The request was refused, or failed."""
    NO_IDENTD = 92
    OTHER_USER = 93


@dataclass(frozen=True, slots=True)
class Request:
    """A client's request.

    *command* is a :class:`Command`, or another number.  *host* is a numeric IPv4 address, or a name if *named*.
    """

    command: int
    host: str
    port: int
    user: bytes = b""
    named: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A proxy's answer.  *port* and *host*, numeric, mean something after ``BIND`` alone; 0.0.0.0 stands for the proxy's."""

    code: int
    port: int = 0
    host: str = "0.0.0.0"  # noqa: S104 - nothing is bound
    version: int = 0


class RequestReader(PrefaceReader[Request]):
    """Takes one request off the beginning of a stream.

    :meth:`next_event` gives the :class:`Request`, and from then on ``PAUSED``: what follows is not of this protocol.
    :meth:`take_rest` gives it up.
    """

    __slots__ = ()

    _what = "SOCKS request"
    _owed = True

    def send(self, event: Reply) -> bytes:
        """Return the bytes of a reply."""
        return encode_reply(event)

    def _parse(self, data: bytes) -> tuple[Request, int] | None:
        if data and data[0] != _VERSION:
            raise RemoteProtocolError(f"SOCKS version {data[0]} was asked for, and this is version {_VERSION}")
        if len(data) < _HEAD.size:
            return None
        _, command, port, address = _HEAD.unpack_from(data)
        user, end = _text(data, _HEAD.size, "SOCKS user name", MAX_USER)
        if user is None:
            return None
        named = address[:3] == b"\0\0\0" and address[3] != 0
        host = str(IPv4Address(address))
        if named:
            name, end = _text(data, end, "SOCKS host name", MAX_HOST)
            if name is None:
                return None
            try:
                host = name.decode("ascii")
            except UnicodeDecodeError:
                raise RemoteProtocolError(f"a SOCKS request is for {name!r}, which is no host's name") from None
        return Request(command, host, port, user, named), end


def _text(data: bytes, start: int, what: str, limit: int) -> tuple[bytes | None, int]:
    """Return the text at *start* that a NUL ends, and where that ends; None for a text whose end is not there yet."""
    end = data.find(b"\0", start, start + limit + 1)
    if end < 0:
        if len(data) > start + limit:
            raise LimitExceeded(what, limit + 1, limit)
        return None, start
    return data[start:end], end + 1


def encode_request(request: Request) -> bytes:
    """Return the bytes of *request*.

    :raises LocalProtocolError: if it cannot be said so.
    """
    try:
        address = b"\0\0\0\1" if request.named else IPv4Address(request.host).packed
        host = request.host.encode("ascii") + b"\0" if request.named else b""
        head = _HEAD.pack(_VERSION, request.command, request.port, address)
    except (AddressValueError, UnicodeEncodeError, struct.error) as error:
        raise LocalProtocolError(f"{request!r} cannot be sent: {error}") from error
    if b"\0" in request.user or b"\0" in host[:-1] or len(request.user) > MAX_USER or len(host) > MAX_HOST + 1:
        raise LocalProtocolError(f"{request!r} cannot be sent: a name has a NUL in it, or is too long")
    if not request.named and address[:3] == b"\0\0\0" and address[3]:
        raise LocalProtocolError(f"{request!r} cannot be sent: {request.host} means that a name follows")
    return head + request.user + b"\0" + host


def encode_reply(reply: Reply) -> bytes:
    """Return the bytes of *reply*.

    :raises LocalProtocolError: if its host is not a numeric IPv4 address, or a number is out of range.
    """
    try:
        return _HEAD.pack(reply.version, reply.code, reply.port, IPv4Address(reply.host).packed)
    except (AddressValueError, struct.error) as error:
        raise LocalProtocolError(f"{reply!r} cannot be sent: {error}") from error
