"""Host names and addresses, as TLS compares and sends them."""

from __future__ import annotations

from ipaddress import ip_address

from torsion.internet.transports.hostnames import to_ascii

__all__ = ["is_address", "to_ascii"]


def is_address(host: str) -> bool:
    """Tell whether *host* is a numeric IPv4 or IPv6 address, the latter with or without a scope."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
