"""Host names and addresses, as TLS compares and sends them."""

from __future__ import annotations

from ipaddress import ip_address

from torsion.internet.transports.hostnames import to_ascii

__all__ = ["is_address", "to_ascii", "to_text"]


def is_address(host: str) -> bool:
    """Tell whether *host* is a numeric IPv4 or IPv6 address, the latter with or without a scope."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def to_text(name: bytes) -> str:
    """Return a name that came from DNS or a certificate in the alphabet that it was written in."""
    text = name.decode("ascii", "replace")
    try:
        import idna
    except ImportError:
        return name.decode("idna")
    try:
        return idna.decode(text)
    except idna.IDNAError:
        return text  # it is no name of IDNA's, which is for the caller to judge
