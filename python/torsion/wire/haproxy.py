"""The PROXY protocol of HAProxy, versions 1 and 2: who is really at the other end, told ahead of the first byte.

A proxy that passes a connection on sends one header, then what the client sends.  :class:`HeaderReader` takes the header
off; :func:`encode` makes one.  The specification is ``proxy-protocol.txt`` of HAProxy 2.8 and later.

A receiver has to know that a header comes: where one is optional, any client can claim to be anybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from typing import Final, Literal, TypeAlias

from torsion.wire._base import LimitExceeded, LocalProtocolError, RemoteProtocolError
from torsion.wire._preface import PrefaceReader

__all__ = [
    "MAX_BLOCK",
    "MAX_LINE",
    "TLV",
    "Family",
    "Header",
    "HeaderReader",
    "MissingAddress",
    "TLVType",
    "UnknownProtocol",
    "encode",
]

Place: TypeAlias = tuple[str, int] | bytes
"""A numeric host and a port, or a UNIX path."""

MAX_LINE: Final = 107
"""Longest header of version 1 with its CR LF: two IPv6 addresses of full length.  The specification's own number."""

MAX_BLOCK: Final = 16_384
"""Most bytes after the fixed part of version 2.  Addresses take 216; what else there may be is names and, at most, a
client's certificate.  The field could say 65,535, which nobody needs to be allowed before having said who they are."""

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
PREFIX: Final = b"PROXY "
FIXED: Final = 16
"""Bytes of the fixed part of version 2: the signature, version and command, family and transport, and a length."""

_TLV: Final = Struct("!BH")
_PORTS: Final = Struct("!HH")
_PATH: Final = 108
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,4}")


class UnknownProtocol(RemoteProtocolError):
    """A header is for a network protocol, or a kind of address, that the specification does not know."""


class MissingAddress(RemoteProtocolError):
    """A header lacks an address, or a part of one."""


class Family(Enum):
    """What kind of address a header holds; the value is version 2's number for it."""

    UNSPEC = 0
    """None: take the addresses of the connection itself."""
    INET = 1
    INET6 = 2
    UNIX = 3


class TLVType(IntEnum):
    """The types that the specification gives a meaning to."""

    ALPN = 0x01
    AUTHORITY = 0x02
    CRC32C = 0x03
    NOOP = 0x04
    UNIQUE_ID = 0x05
    SSL = 0x20
    NETNS = 0x30


@dataclass(frozen=True, slots=True)
class TLV:
    """A further thing that version 2 tells: its type (a :class:`TLVType` or another number up to 255) and its bytes."""

    type: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What a proxy tells of a connection.

    *local* means that the connection is the proxy's own, such as a health check; it has no addresses then.  *datagram*
    tells UDP from TCP, and has a meaning with addresses only.  *checksum* tells whether version 2 carries its CRC32c; it
    is right if it is there.  *raw* are the bytes that a received header came in.
    """

    family: Family = Family.UNSPEC
    source: Place | None = None
    destination: Place | None = None
    version: Literal[1, 2] = 2
    local: bool = False
    datagram: bool = False
    tlvs: tuple[TLV, ...] = ()
    checksum: bool = False
    raw: bytes = field(default=b"", compare=False, repr=False)

    def tlv(self, type: int) -> bytes | None:
        """Return the bytes of the first TLV of this *type*, or None."""
        return next((tlv.value for tlv in self.tlvs if tlv.type == type), None)


class HeaderReader(PrefaceReader[Header]):
    """Takes one header off the beginning of a stream.

    :meth:`next_event` gives the :class:`Header`, and from then on ``PAUSED``: what follows is not of this protocol.
    :meth:`take_rest` gives it up.
    """

    __slots__ = ("_max_block", "_versions")

    _what = "PROXY header"
    _owed = False

    def __init__(self, versions: tuple[int, ...] = (1, 2), max_block: int = MAX_BLOCK) -> None:
        """Read a header of one of these *versions*, of at most *max_block* bytes after version 2's fixed part."""
        super().__init__()
        self._versions = versions
        self._max_block = max_block

    def send(self, event: Header) -> bytes:
        """Return the bytes of a header, as :func:`encode`."""
        return encode(event)

    def _parse(self, data: bytes) -> tuple[Header, int] | None:
        if 1 in self._versions and PREFIX.startswith(data[: len(PREFIX)]):
            header = _line(data)
        elif 2 in self._versions and SIGNATURE.startswith(data[: len(SIGNATURE)]):
            header = _block(data, self._max_block)
        else:
            raise self._refusal(data)
        return None if header is None else (header, len(header.raw))

    def _refusal(self, data: bytes) -> RemoteProtocolError:
        which = " or ".join(map(str, self._versions))
        return RemoteProtocolError(f"no PROXY header of version {which}: {data[:16]!r}")


# --- version 1 ----------------------------------------------------------------------------------------------------


def _line(data: bytes) -> Header | None:
    end = data.find(b"\r\n", 0, MAX_LINE)
    if end < 0:
        if len(data) >= MAX_LINE:
            raise LimitExceeded("PROXY header", MAX_LINE + 1, MAX_LINE)
        return None
    raw = data[: end + 2]
    words = data[len(PREFIX) : end].decode("latin-1").split(" ")
    kind = words[0]
    if kind == "UNKNOWN":
        return Header(version=1, raw=raw)
    family = {"TCP4": Family.INET, "TCP6": Family.INET6}.get(kind)
    if family is None:
        raise UnknownProtocol(f"PROXY header for protocol {kind!r}; there are TCP4, TCP6 and UNKNOWN")
    if len(words) != 5:
        raise (MissingAddress if len(words) < 5 else RemoteProtocolError)(
            f"PROXY header with {len(words) - 1} of 4 parts: {raw!r}"
        )
    hosts = [_host(family, word, raw) for word in words[1:3]]
    ports = [_port(word, raw) for word in words[3:]]
    return Header(family, (hosts[0], ports[0]), (hosts[1], ports[1]), version=1, raw=raw)


def _host(family: Family, word: str, raw: bytes) -> str:
    try:
        if family is Family.INET:
            return str(IPv4Address(word))
        if "%" not in word:
            return _text6(IPv6Address(word))
    except ValueError:
        pass
    raise RemoteProtocolError(f"PROXY header with a bad address {word!r}: {raw!r}")


def _port(word: str, raw: bytes) -> int:
    if _NUMBER.fullmatch(word) is None or int(word) > 65_535:
        raise RemoteProtocolError(f"PROXY header with a bad port {word!r}: {raw!r}")
    return int(word)


def _text6(address: IPv6Address) -> str:
    """Return an address as RFC 5952 wants it, which Python does with mapped ones from version 3.13 on only."""
    mapped = address.ipv4_mapped
    return str(address) if mapped is None else f"::ffff:{mapped}"


# --- version 2 ----------------------------------------------------------------------------------------------------


def _block(data: bytes, most: int) -> Header | None:
    if len(data) <= 12:
        return None
    version, command = data[12] >> 4, data[12] & 15
    if version != 2 or command > 1:
        raise RemoteProtocolError(
            f"PROXY header of version {version} with command {command}: 2 with 0 or 1 can be read"
        )
    if len(data) == 13:
        return None
    local = command == 0
    number, transport = data[13] >> 4, data[13] & 15
    if not local and (number > 3 or transport > 2):
        raise UnknownProtocol(f"PROXY header with unknown family {number} or transport {transport}")
    if len(data) < FIXED:
        return None
    length = int.from_bytes(data[14:16])
    if length > most:
        raise LimitExceeded("PROXY header", FIXED + length, FIXED + most)
    if len(data) < FIXED + length:
        return None
    raw, block = data[: FIXED + length], data[FIXED : FIXED + length]
    if local or not number or not transport:
        # There may be anything where addresses would stand; if it reads as TLVs, they are.
        tlvs = (_tlvs(block) if data[13] == 0 else None) or ()
        checksum = _check(raw, tlvs, FIXED)
        return Header(local=local, tlvs=_without_checksum(tlvs), checksum=checksum, raw=raw)
    family = Family(number)
    size = _SIZES[family]
    found = _tlvs(block[size:]) if length >= size else None
    if found is None:
        raise MissingAddress(f"PROXY header whose {length} bytes do not make its addresses and TLVs")
    checksum = _check(raw, found, FIXED + size)
    source, destination = _unpack(family, block[:size])
    return Header(
        family,
        source,
        destination,
        datagram=transport == 2,
        tlvs=_without_checksum(found),
        checksum=checksum,
        raw=raw,
    )


_SIZES: Final = {Family.UNSPEC: 0, Family.INET: 12, Family.INET6: 36, Family.UNIX: 2 * _PATH}


def _unpack(family: Family, block: bytes) -> tuple[Place, Place]:
    if family is Family.UNIX:
        return _path(block[:_PATH]), _path(block[_PATH:])
    width = 4 if family is Family.INET else 16
    ports = _PORTS.unpack(block[2 * width :])
    parts = (block[:width], block[width : 2 * width])
    hosts = [str(IPv4Address(part)) if width == 4 else _text6(IPv6Address(part)) for part in parts]
    return (hosts[0], ports[0]), (hosts[1], ports[1])


def _path(block: bytes) -> bytes:
    # One that begins with a zero is a name of Linux' abstract space, and may have more of them.
    return block.rstrip(b"\0") if block[0] == 0 else block.partition(b"\0")[0]


def _tlvs(block: bytes) -> tuple[TLV, ...] | None:
    """Return what *block* consists of, or None if it does not consist of TLVs."""
    found = []
    start = 0
    while start < len(block):
        if len(block) - start < _TLV.size:
            return None
        type, length = _TLV.unpack_from(block, start)
        start += _TLV.size + length
        if start > len(block):
            return None
        found.append(TLV(type, block[start - length : start]))
    return tuple(found)


def _without_checksum(tlvs: tuple[TLV, ...]) -> tuple[TLV, ...]:
    return tuple(tlv for tlv in tlvs if tlv.type != TLVType.CRC32C)


def _check(raw: bytes, tlvs: tuple[TLV, ...], start: int) -> bool:
    """Tell whether the header has a checksum.  *start* is where its *tlvs* begin.

    Raises :class:`RemoteProtocolError` if that is wrong, as the specification wants it.
    """
    there = False
    for tlv in tlvs:
        end = start + _TLV.size + len(tlv.value)
        if tlv.type == TLVType.CRC32C:
            blank = raw[: start + _TLV.size] + bytes(len(tlv.value)) + raw[end:]
            if there or tlv.value != crc32c(blank).to_bytes(4):
                raise RemoteProtocolError("PROXY header whose checksum is wrong")
            there = True
        start = end
    return there


def crc32c(data: bytes) -> int:
    """Return the CRC32c (Castagnoli) of *data*."""
    register = 0xFFFFFFFF
    for byte in data:
        register = _CRC[(register ^ byte) & 255] ^ (register >> 8)
    return register ^ 0xFFFFFFFF


def _crc_row(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ (0x82F63B78 if index & 1 else 0)
    return index


_CRC: Final = tuple(map(_crc_row, range(256)))


# --- sending ------------------------------------------------------------------------------------------------------


def encode(header: Header) -> bytes:
    """Return the bytes of *header*.

    Raises :class:`LocalProtocolError` where its version cannot say what it says.
    """
    return _encode_line(header) if header.version == 1 else _encode_block(header)


def _encode_line(header: Header) -> bytes:
    if header.local or header.datagram or header.tlvs or header.checksum or header.family is Family.UNIX:
        raise LocalProtocolError(f"version 1 of the PROXY protocol tells TCP addresses only, unlike {header!r}")
    if header.family is Family.UNSPEC:
        _no_addresses(header)
        return PREFIX + b"UNKNOWN\r\n"
    (source, first), (destination, second) = (_inet(header.family, place) for place in _both(header))
    kind = "TCP4" if header.family is Family.INET else "TCP6"
    hosts = (_text6(host) if isinstance(host, IPv6Address) else str(host) for host in (source, destination))
    return f"PROXY {kind} {' '.join(hosts)} {first} {second}\r\n".encode("ascii")


def _encode_block(header: Header) -> bytes:
    if header.version != 2:
        raise LocalProtocolError(f"there is no version {header.version!r} of the PROXY protocol, only 1 and 2")
    if header.family is Family.UNSPEC:
        _no_addresses(header)
        kind, addresses = 0, b""
    else:
        if header.local:
            raise LocalProtocolError(f"a connection of the proxy's own has no addresses, unlike {header!r}")
        kind = header.family.value << 4 | (2 if header.datagram else 1)
        addresses = _pack(header)
    tlvs = b"".join(map(_encode_tlv, header.tlvs))
    if header.checksum:
        tlvs = _TLV.pack(TLVType.CRC32C, 4) + bytes(4) + tlvs
    length = len(addresses) + len(tlvs)
    if length > MAX_BLOCK:
        raise LocalProtocolError(f"a PROXY header may have {MAX_BLOCK} bytes, and this one would have {length}")
    block = SIGNATURE + bytes((0x20 if header.local else 0x21, kind)) + length.to_bytes(2) + addresses + tlvs
    if not header.checksum:
        return block
    start = FIXED + len(addresses) + _TLV.size
    return block[:start] + crc32c(block).to_bytes(4) + block[start + 4 :]


def _no_addresses(header: Header) -> None:
    if header.source is not None or header.destination is not None or header.datagram:
        raise LocalProtocolError(f"addresses need a family, unlike {header!r}")


def _both(header: Header) -> tuple[Place, Place]:
    if header.source is None or header.destination is None:
        raise LocalProtocolError(f"a header of family {header.family.name} needs both addresses, unlike {header!r}")
    return header.source, header.destination


def _inet(family: Family, place: Place) -> tuple[IPv4Address | IPv6Address, int]:
    try:
        host, port = place
        if isinstance(host, str) and isinstance(port, int) and 0 <= port <= 65_535 and "%" not in host:
            return (IPv4Address if family is Family.INET else IPv6Address)(host), port
    except (TypeError, ValueError):
        pass
    raise LocalProtocolError(f"{place!r} is no numeric host and port of family {family.name}")


def _pack(header: Header) -> bytes:
    places = _both(header)
    if header.family is not Family.UNIX:
        (source, first), (destination, second) = (_inet(header.family, place) for place in places)
        return source.packed + destination.packed + _PORTS.pack(first, second)
    paths = b""
    for path in places:
        if not isinstance(path, bytes) or len(path) > _PATH or _path(path.ljust(_PATH, b"\0")) != path:
            raise LocalProtocolError(f"{path!r} is no UNIX path of at most {_PATH} bytes")
        paths += path.ljust(_PATH, b"\0")
    return paths


def _encode_tlv(tlv: TLV) -> bytes:
    if not 0 <= tlv.type <= 255 or tlv.type == TLVType.CRC32C:
        raise LocalProtocolError(
            f"{tlv!r}: types go from 0 to 255, and a checksum is asked for by the header's own field"
        )
    if len(tlv.value) > MAX_BLOCK:
        raise LocalProtocolError(f"a TLV of {len(tlv.value)} bytes does not fit into a PROXY header")
    return _TLV.pack(tlv.type, len(tlv.value)) + tlv.value
