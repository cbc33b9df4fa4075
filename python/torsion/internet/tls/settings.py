"""The settings of secure connections, free of any library's objects, for the native implementation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torsion.internet.tls.formats import Identity

__all__ = ["HANDSHAKE_TIMEOUT", "TLSSettings"]

HANDSHAKE_TIMEOUT = 60.0
"""After how many seconds a handshake that is not over costs the connection.

A handshake is two round trips and some milliseconds of arithmetic; a minute is for peers behind lossy mobile networks.  A
peer that says nothing would otherwise hold a descriptor for ever.
"""


@dataclass(frozen=True, slots=True)
class TLSSettings:
    """Everything that the native implementation has to know of one kind of secure connection.

    Two that are equal share a context, and with it the sessions that can be resumed.

    :ivar client: whether this end connects.
    :ivar identities: chains of certificates with their keys; the first is the one to show by default.
    :ivar names: for a server: which identity to show to whom asks for a host; pairs of a name and a place in
        :attr:`identities`.
    :ivar roots: the certificates to trust, in DER; None if the peer's certificate is not looked at.
    :ivar required: for a server with :attr:`roots`: whether a client must show a certificate.
    :ivar check_name: for a client with :attr:`roots`: whether the certificate must be for the host asked for.
    :ivar send_name: for a client: whether to tell the server the host's name (SNI).
    :ivar versions: the oldest and the newest version of TLS, by the numbers on the wire.
    :ivar suites: cipher suites by IANA's names, the preferred ones first; None for the implementation's own.
    :ivar alpn: application protocols, the preferred ones first.
    :ivar tickets: whether a server gives out tickets by which sessions are resumed without its keeping them.
    :ivar sessions: whether sessions are kept to be resumed.
    :ivar handshake_timeout: in seconds; None for no limit.
    :ivar key_log: the path of a file to append the keys of connections to, for debugging; or None.
    :ivar names_from: where :attr:`names` come from, so that a change can be seen; no part of the settings themselves.
    """

    client: bool
    identities: tuple[Identity, ...] = field(default=(), repr=False)  # there are keys in it
    names: tuple[tuple[str, int], ...] = ()
    roots: tuple[bytes, ...] | None = field(default=None, repr=False)  # there are hundreds of them
    required: bool = True
    check_name: bool = False
    send_name: bool = True
    versions: tuple[int, int] = (0x0303, 0x0304)
    suites: tuple[str, ...] | None = None
    alpn: tuple[bytes, ...] = ()
    tickets: bool = False
    sessions: bool = False
    handshake_timeout: float | None = HANDSHAKE_TIMEOUT
    key_log: str | None = None
    names_from: object = field(default=None, compare=False, repr=False)
