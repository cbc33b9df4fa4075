"""What a PROXY header said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface, implementer

from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.wire.haproxy import TLV, Family, Header

if TYPE_CHECKING:
    from torsion.internet.interfaces import IAddress
    from torsion.wire.haproxy import Place

__all__ = ["IProxyInfo", "ProxyInfo"]


class IProxyInfo(Interface):
    """What a PROXY header said."""

    header = Attribute("""The header, as it came in (bytes).""")
    source = Attribute("""Where the connection comes from, an ``IAddress``; None if the header does not tell.""")
    destination = Attribute("""Where it went to, an ``IAddress``; None if the header does not tell.""")


@implementer(IProxyInfo)
@dataclass(frozen=True, slots=True)
class ProxyInfo:
    """What a PROXY header said.

    :ivar header: the header, as it came in.
    :ivar source: where the connection comes from; None if the header does not tell.
    :ivar destination: where it went to; None if the header does not tell.
    :ivar tlvs: what else version 2 told: see :class:`torsion.wire.haproxy.TLVType` for the types.
    :ivar local: whether the connection is the proxy's own, such as a health check.
    """

    header: bytes
    source: IAddress | None
    destination: IAddress | None
    tlvs: tuple[TLV, ...] = ()
    local: bool = False

    @classmethod
    def of(cls, header: Header) -> ProxyInfo:
        """Return what *header* says."""
        source, destination = (_address(header, place) for place in (header.source, header.destination))
        return cls(header.raw, source, destination, header.tlvs, header.local)


def _address(header: Header, place: Place | None) -> IAddress | None:
    if place is None:
        return None
    if isinstance(place, bytes):
        return UNIXAddress(place or None)
    kind = IPv4Address if header.family is Family.INET else IPv6Address
    return kind("UDP" if header.datagram else "TCP", *place)
