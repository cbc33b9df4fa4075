"""TLS: certificates, settings, errors, and the layer that speaks it through OpenSSL.

``CertificateOptions`` and ``optionsForClientTLS`` say how connections are to be made secure.  Reactors do so natively, with
rustls, unless a program brings its own OpenSSL contexts: :mod:`torsion.internet.tls.roads` decides.  This package needs
``cryptography``, and the OpenSSL road pyOpenSSL: the extras ``torsion[tls]`` and ``torsion[pyopenssl]``.
"""

from __future__ import annotations

try:
    import cryptography as cryptography
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("TLS needs cryptography: pip install torsion[tls]", name=missing.name) from missing

from torsion.internet.tls.buffering import BufferingTLSTransport
from torsion.internet.tls.certificates import Certificate, CertificateRequest, PublicKey, peer_certificate
from torsion.internet.tls.ciphers import OpenSSLAcceptableCiphers as AcceptableCiphers
from torsion.internet.tls.ciphers import OpenSSLCipher
from torsion.internet.tls.client import ClientTLSOptions, optionsForClientTLS
from torsion.internet.tls.context import CertificateOptions
from torsion.internet.tls.context import OpenSSLDiffieHellmanParameters as DiffieHellmanParameters
from torsion.internet.tls.contextfactories import ClientContextFactory, ContextFactory, DefaultOpenSSLContextFactory
from torsion.internet.tls.creators import LegacyContextFactoryWarning
from torsion.internet.tls.errors import (
    BadCertificateData,
    BadCertificateFile,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateRefused,
    CertificateRequired,
    CertificateRevoked,
    HandshakeInterrupted,
    HandshakeRefused,
    HandshakeTimeout,
    NoApplicationProtocol,
    NoSharedCipher,
    NotTLS,
    PeerAlert,
    ProtocolVersionMismatch,
    ProtocolViolation,
    RecordTooLong,
    RenegotiationRefused,
    TLSError,
    Truncated,
    UnknownIssuer,
    UnsupportedOption,
    WrongName,
)
from torsion.internet.tls.factory import TLSMemoryBIOFactory
from torsion.internet.tls.formats import FILETYPE_ASN1, FILETYPE_PEM, FILETYPE_TEXT
from torsion.internet.tls.handle import ConnectionHandle
from torsion.internet.tls.memory import CLOSE_TIMEOUT, TLSMemoryBIOProtocol
from torsion.internet.tls.names import DN, DistinguishedName
from torsion.internet.tls.private import KeyPair, PrivateCertificate
from torsion.internet.tls.roads import NativeRoad, choose_road, viaOpenSSL
from torsion.internet.tls.settings import HANDSHAKE_TIMEOUT, TLSSettings
from torsion.internet.tls.sni import CertificateDirectory, CertificatesByName, NameTable, ServerNames
from torsion.internet.tls.trust import (
    IOpenSSLTrustRoot,
    OpenSSLCertificateAuthorities,
    OpenSSLDefaultPaths,
    platformTrust,
    trustRootFromCertificates,
)
from torsion.internet.tls.versions import TLSVersion

__all__ = [
    "CLOSE_TIMEOUT",
    "DN",
    "FILETYPE_ASN1",
    "FILETYPE_PEM",
    "FILETYPE_TEXT",
    "HANDSHAKE_TIMEOUT",
    "AcceptableCiphers",
    "BadCertificateData",
    "BadCertificateFile",
    "BufferingTLSTransport",
    "Certificate",
    "CertificateDirectory",
    "CertificateExpired",
    "CertificateNotYetValid",
    "CertificateOptions",
    "CertificateRefused",
    "CertificateRequest",
    "CertificateRequired",
    "CertificateRevoked",
    "CertificatesByName",
    "ClientContextFactory",
    "ClientTLSOptions",
    "ConnectionHandle",
    "ContextFactory",
    "DefaultOpenSSLContextFactory",
    "DiffieHellmanParameters",
    "DistinguishedName",
    "HandshakeInterrupted",
    "HandshakeRefused",
    "HandshakeTimeout",
    "IOpenSSLTrustRoot",
    "KeyPair",
    "LegacyContextFactoryWarning",
    "NameTable",
    "NativeRoad",
    "NoApplicationProtocol",
    "NoSharedCipher",
    "NotTLS",
    "OpenSSLCertificateAuthorities",
    "OpenSSLCipher",
    "OpenSSLDefaultPaths",
    "PeerAlert",
    "PrivateCertificate",
    "ProtocolVersionMismatch",
    "ProtocolViolation",
    "PublicKey",
    "RecordTooLong",
    "RenegotiationRefused",
    "ServerNames",
    "TLSError",
    "TLSMemoryBIOFactory",
    "TLSMemoryBIOProtocol",
    "TLSSettings",
    "TLSVersion",
    "Truncated",
    "UnknownIssuer",
    "UnsupportedOption",
    "WrongName",
    "choose_road",
    "optionsForClientTLS",
    "peer_certificate",
    "platformTrust",
    "trustRootFromCertificates",
    "viaOpenSSL",
]
