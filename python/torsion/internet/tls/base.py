"""What certificates and requests for them have in common."""

from __future__ import annotations

from typing import Any

from torsion.internet.tls.names import DistinguishedName, from_x509

__all__ = ["CertBase"]


class CertBase:
    """Something that says whose a public key is.

    :ivar certificate: the object of ``cryptography`` that stands behind it.
    """

    certificate: Any

    def getSubject(self) -> DistinguishedName:
        """Return who has the key; fields that :class:`DistinguishedName` lacks are left out."""
        return from_x509(self.certificate.subject)
