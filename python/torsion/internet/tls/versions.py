"""Versions of TLS, and how programs choose between them."""

from __future__ import annotations

from enum import Flag, IntEnum

from torsion.python.deprecate import deprecated
from torsion.python.versions import Version

__all__ = [
    "DEFAULT_MINIMUM",
    "ProtocolNegotiationSupport",
    "TLSVersion",
    "protocolNegotiationMechanisms",
    "version_range",
]


class TLSVersion(IntEnum):
    """A version of the protocol; the greater the newer. The values are those on the wire."""

    SSLv3 = 0x0300
    TLSv1_0 = 0x0301
    TLSv1_1 = 0x0302
    TLSv1_2 = 0x0303
    TLSv1_3 = 0x0304


DEFAULT_MINIMUM = TLSVersion.TLSv1_2
"""What is older is not safe any more (RFC 8996)."""


class ProtocolNegotiationSupport(Flag):
    """Ways to agree upon an application protocol. Deprecated: ALPN is always there, NPN never."""

    NOSUPPORT = 0
    NPN = 1
    ALPN = 2


@deprecated(Version("Twisted", 26, 10, 0))
def protocolNegotiationMechanisms() -> ProtocolNegotiationSupport:
    """Return how application protocols can be agreed upon."""
    return ProtocolNegotiationSupport.ALPN


def version_range(
    raiseMinimumTo: TLSVersion | None,
    insecurelyLowerMinimumTo: TLSVersion | None,
    lowerMaximumSecurityTo: TLSVersion | None,
) -> tuple[TLSVersion, TLSVersion]:
    """Return the oldest and the newest version that may be spoken.

    :param raiseMinimumTo: the oldest, if that is newer than the default.
    :param insecurelyLowerMinimumTo: the oldest, be it as old as it may.
    :param lowerMaximumSecurityTo: the newest; if that is older than the default for the oldest, it is that, too.
    :raises ValueError: if the oldest would be newer than the newest.
    """
    newest = TLSVersion.TLSv1_3 if lowerMaximumSecurityTo is None else TLSVersion(lowerMaximumSecurityTo)
    for name, asked in (
        ("raiseMinimumTo", raiseMinimumTo),
        ("insecurelyLowerMinimumTo", insecurelyLowerMinimumTo),
    ):
        if asked is not None and asked > newest:
            raise ValueError(f"{name} needs to be lower than lowerMaximumSecurityTo")
    if insecurelyLowerMinimumTo is not None:
        return TLSVersion(insecurelyLowerMinimumTo), newest
    oldest = DEFAULT_MINIMUM if raiseMinimumTo is None else max(DEFAULT_MINIMUM, TLSVersion(raiseMinimumTo))
    return min(oldest, newest), newest
