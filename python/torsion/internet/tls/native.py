"""From settings to a context of the native implementation (rustls)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from torsion._native import TLSContext
from torsion.internet.tls.errors import UnsupportedOption

if TYPE_CHECKING:
    from torsion.internet.tls.settings import TLSSettings

__all__ = ["native_context"]

# Programs with several certificates, and clients with several sets of roots; a server that has thousands of names has them
# in one context.
_CONTEXTS_KEPT = 64
_NO_LIMIT = 1e9  # seconds: thirty years


@lru_cache(maxsize=_CONTEXTS_KEPT)
def native_context(settings: TLSSettings) -> TLSContext:
    """Return the native context for *settings*: the same one each time, as long as it is among those used last.

    :raises UnsupportedOption: if the native implementation cannot use a key or a certificate.
    :raises OSError: if the key log cannot be written.
    """
    limit = settings.handshake_timeout
    try:
        if settings.client:
            return TLSContext.client(
                roots=settings.roots,
                verify=settings.roots is not None,
                check_name=settings.check_name,
                identity=settings.identities[0] if settings.identities else None,
                alpn=settings.alpn,
                versions=settings.versions,
                suites=settings.suites,
                resumption=settings.sessions or settings.tickets,
                send_name=settings.send_name,
                key_log=settings.key_log,
                handshake_timeout=_NO_LIMIT if limit is None else limit,
            )
        return TLSContext.server(
            chains=settings.identities,
            names=dict(settings.names),
            client_roots=settings.roots,
            client_required=settings.required and settings.roots is not None,
            alpn=settings.alpn,
            versions=settings.versions,
            suites=settings.suites,
            tickets=settings.tickets,
            sessions=settings.sessions,
            key_log=settings.key_log,
            handshake_timeout=_NO_LIMIT if limit is None else limit,
        )
    except ValueError as wrong:
        raise UnsupportedOption("privateKey, certificate or trustRoot", str(wrong)) from wrong
