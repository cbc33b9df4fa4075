"""Secure connections: certificates, and the settings to be passed to ``listenSSL``, ``connectSSL`` and ``startTLS``.

A client usually wants :func:`optionsForClientTLS`; a server, ``PrivateCertificate.loadPEM(...).options()`` or
:class:`CertificateOptions`.  It all lives in :mod:`torsion.internet.tls`; here are Twisted's names.
"""

from __future__ import annotations

from torsion.internet.tls import (
    DN,
    AcceptableCiphers,
    Certificate,
    CertificateOptions,
    CertificateRequest,
    ClientContextFactory,
    ContextFactory,
    DefaultOpenSSLContextFactory,
    DiffieHellmanParameters,
    DistinguishedName,
    KeyPair,
    OpenSSLDefaultPaths,
    PrivateCertificate,
    TLSVersion,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from torsion.internet.tls.errors import WrongName as VerificationError
from torsion.internet.tls.versions import ProtocolNegotiationSupport, protocolNegotiationMechanisms
from torsion.internet.transports.secureports import TLSConnector as Connector
from torsion.internet.transports.secureports import TLSPort as Port
from torsion.internet.transports.stream import TLSConnection

__all__ = [
    "DN",
    "AcceptableCiphers",
    "Certificate",
    "CertificateOptions",
    "CertificateRequest",
    "Client",
    "ClientContextFactory",
    "Connector",
    "ContextFactory",
    "DefaultOpenSSLContextFactory",
    "DiffieHellmanParameters",
    "DistinguishedName",
    "KeyPair",
    "OpenSSLDefaultPaths",
    "Port",
    "PrivateCertificate",
    "ProtocolNegotiationSupport",
    "Server",
    "TLSVersion",
    "VerificationError",
    "optionsForClientTLS",
    "platformTrust",
    "protocolNegotiationMechanisms",
    "supported",
    "trustRootFromCertificates",
]

Client = Server = TLSConnection

supported = True
"""Whether TLS can be had: where this module can be imported, it can."""
