"""What can be wrong with a PROXY header."""

from __future__ import annotations

__all__ = ["InvalidNetworkProtocol", "InvalidProxyHeader", "MissingAddressData"]


class InvalidProxyHeader(Exception):
    """A connection did not begin with a PROXY header as it should be; its text tells why."""


class InvalidNetworkProtocol(InvalidProxyHeader):
    """The header is for a protocol that there is not."""


class MissingAddressData(InvalidProxyHeader):
    """The header lacks an address, or a part of one."""
