"""From settings to OpenSSL's contexts and connections."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key

from torsion.internet.tls.ciphers import DEFAULT_OPENSSL_CIPHERS
from torsion.internet.tls.errors import NoApplicationProtocol, make
from torsion.internet.tls.formats import as_certificate, as_key
from torsion.internet.tls.openssl import ssl_module
from torsion.internet.tls.sni import ServerNames
from torsion.internet.tls.versions import TLSVersion
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.internet.tls.context import CertificateOptions
    from torsion.internet.tls.formats import Identity

__all__ = ["choose_protocol", "choose_protocols", "make_connection", "make_context", "noting_callback"]

_log = Logger()

_OP_NO_TLSv1_3 = 0x20000000  # older pyOpenSSL has no name for it, while OpenSSL knows the option
_OP_NO_TICKET = 0x00004000
_CHOOSING: WeakSet[Any] = WeakSet()  # the contexts that have our callback for application protocols
_SESSION_ID_BYTES = 32  # the most that OpenSSL takes (SSL_MAX_SID_CTX_LENGTH)


def make_context(options: CertificateOptions, identity: Identity | None = None) -> Any:
    """Make an ``OpenSSL.SSL.Context``.

    :param options: the settings.
    :param identity: what to show to the peer, in place of the options' own.
    """
    SSL = ssl_module()
    make_one = options._contextFactory or SSL.Context
    context = make_one(options.method)
    context.set_options(_flags(options, SSL))
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    _set_identity(context, options, identity)
    _set_verification(context, options, SSL)
    # Without a name of its own, a context would let sessions of another be resumed, which may have verified less.
    context.set_session_id(os.urandom(_SESSION_ID_BYTES))
    context.set_session_cache_mode(SSL.SESS_CACHE_SERVER if options.enableSessions else SSL.SESS_CACHE_OFF)
    if options.dhParameters is not None:
        file = options.dhParameters._dhFile
        context.load_tmp_dh(os.fspath(getattr(file, "path", file)))
    _set_ciphers(context, options)
    if options.acceptableProtocols:
        context.set_alpn_protos(list(options.acceptableProtocols))
    choose_protocols(context, options.acceptableProtocols)
    if options._contextForServerName is not None and identity is None:
        context.set_tlsext_servername_callback(_chooser(options))
    if options.keyLogFile is not None:
        context.set_keylog_callback(_key_logger(options.keyLogFile))
    return context


def _flags(options: CertificateOptions, SSL: Any) -> int:
    flags: int = SSL.OP_NO_SSLv2 | SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE
    if options._explicit_method:
        flags |= SSL.OP_NO_SSLv3
    else:
        oldest, newest = options.versions
        if options.cipherNames is not None and not _before_1_3(options.cipherNames):
            oldest = max(oldest, TLSVersion.TLSv1_3)
        off = {
            TLSVersion.SSLv3: SSL.OP_NO_SSLv3,
            TLSVersion.TLSv1_0: SSL.OP_NO_TLSv1,
            TLSVersion.TLSv1_1: SSL.OP_NO_TLSv1_1,
            TLSVersion.TLSv1_2: SSL.OP_NO_TLSv1_2,
            TLSVersion.TLSv1_3: getattr(SSL, "OP_NO_TLSv1_3", _OP_NO_TLSv1_3),
        }
        for version, flag in off.items():
            if not oldest <= version <= newest:
                flags |= flag
    if options.enableSingleUseKeys:
        flags |= SSL.OP_SINGLE_DH_USE | SSL.OP_SINGLE_ECDH_USE
    if options.fixBrokenPeers:
        flags |= SSL.OP_ALL
    if not options.enableSessionTickets:
        flags |= _OP_NO_TICKET
    # A peer could have us do the costly part of handshakes over and over (and TLS 1.3 has no renegotiation).
    return flags | getattr(SSL, "OP_NO_RENEGOTIATION", 0)


def _set_identity(context: Any, options: CertificateOptions, identity: Identity | None) -> None:
    if identity is None and options.privateKey is None:
        names = options._contextForServerName
        identity = names.table().find(None) if isinstance(names, ServerNames) else None
        if identity is None:
            return
    if identity is not None:
        chain = [x509.load_der_x509_certificate(each) for each in identity[0]]
        key = load_der_private_key(identity[1], None)
    else:
        chain = [as_certificate(each) for each in (options.certificate, *options.extraCertChain)]
        key = as_key(options.privateKey)
    context.use_certificate(chain[0])
    context.use_privatekey(key)
    for certificate in chain[1:]:
        context.add_extra_chain_cert(certificate)
    context.check_privatekey()


def _set_verification(context: Any, options: CertificateOptions, SSL: Any) -> None:
    flags = SSL.VERIFY_NONE
    if options.trustRoot is not None:
        flags = SSL.VERIFY_PEER
        if options.requireCertificate:
            flags |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        if options.verifyOnce:
            flags |= SSL.VERIFY_CLIENT_ONCE
        options.trustRoot.addToContext(context)
    context.set_verify(flags, noting_callback)
    if options.verifyDepth is not None:
        context.set_verify_depth(options.verifyDepth)


def noting_callback(connection: Any, certificate: Any, number: int, depth: int, good: int) -> bool:
    """Let OpenSSL's judgement on a certificate stand, and tell the TLS protocol of a bad one, whose number says why."""
    if not good:
        note = getattr(connection.get_app_data(), "certificateRefused", None)
        if note is not None:
            note(number, depth, certificate)
    return bool(good)


def _before_1_3(names: Sequence[str]) -> list[str]:
    return [name for name in names if not name.startswith("TLS_")]


def _set_ciphers(context: Any, options: CertificateOptions) -> None:
    if options.cipherNames is None:
        context.set_cipher_list(DEFAULT_OPENSSL_CIPHERS.encode("ascii"))
        return
    older = _before_1_3(options.cipherNames)
    newer = [name for name in options.cipherNames if name.startswith("TLS_")]
    if older:
        context.set_cipher_list(":".join(older).encode("ascii"))
    if newer and hasattr(context, "set_tls13_ciphersuites"):
        context.set_tls13_ciphersuites(":".join(newer).encode("ascii"))


# --- application protocols ---------------------------------------------------------------------------------------


def choose_protocols(context: Any, protocols: Sequence[bytes]) -> None:
    """Have a context agree upon an application protocol with clients. Does nothing if it does so already.

    :param context: of servers.
    :param protocols: those to agree upon, unless a connection's factory knows better; may be empty.
    """
    if context in _CHOOSING:
        return
    none = ssl_module().NO_OVERLAPPING_PROTOCOLS

    def select(connection: Any, offered: list[bytes]) -> Any:
        acceptable = getattr(connection.get_app_data(), "acceptableProtocols", None) or protocols
        return choose_protocol(acceptable, offered) if acceptable else none

    context.set_alpn_select_callback(select)
    _CHOOSING.add(context)


def choose_protocol(acceptable: Sequence[bytes], offered: Sequence[bytes]) -> bytes:
    """Return the protocol that this end prefers, of those that the peer offers.

    :raises NoApplicationProtocol: if there is none; OpenSSL then sends the alert that tells the peer (RFC 7301, 3.2).
    """
    for each in acceptable:
        if each in offered:
            return each
    raise make(NoApplicationProtocol, offered=list(offered))


# --- names of servers --------------------------------------------------------------------------------------------


def _chooser(options: CertificateOptions) -> Any:
    names = options._contextForServerName
    contexts: dict[Any, Any] = {}  # by identity; it has the last table's only
    last: list[Any] = [None]

    def by_table(connection: Any) -> Any:
        table = names.table()
        if table is not last[0]:
            last[0] = table
            contexts.clear()
        name = connection.get_servername()
        if options.privateKey is not None:
            found = table.match(name)  # the options have a certificate for all others
            if found is None:
                return None
        else:
            found = table.find(name)
            if found is None:
                _log.error("no server certificate for name {name!r}", name=name)
                return None
        if found not in contexts:
            contexts[found] = make_context(options, found)
        return contexts[found]

    def by_function(connection: Any) -> Any:
        return names(connection.get_servername())

    choose = by_table if isinstance(names, ServerNames) else by_function

    def callback(connection: Any) -> None:
        try:
            context = choose(connection)
        except BaseException as wrong:  # noqa: BLE001 - it is the program's, and OpenSSL would swallow it
            _log.failure("Cannot choose a context for {name!r}", name=connection.get_servername())
            note = getattr(connection.get_app_data(), "nameLookupFailed", None)
            if note is not None:
                note(wrong)
            return
        if context is not None:
            connection.set_context(context)

    return callback


def _key_logger(path: str) -> Any:
    def log(_connection: Any, line: bytes) -> None:
        # Opened anew each time: few lines, and files of this kind are moved away and deleted while a program runs.
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line + b"\n")
        finally:
            os.close(descriptor)

    return log


def make_connection(context: Any, protocol: Any) -> Any:
    """Make an ``OpenSSL.SSL.Connection`` without a socket.

    :param context: its context.
    :param protocol: the TLS protocol that it is for, which callbacks then find as its application data.
    """
    connection = ssl_module().Connection(context, None)
    connection.set_app_data(protocol)
    return connection
