"""Basic authentication: name and password in each request, for all to read who can (RFC 7617).  Only over TLS."""

from __future__ import annotations

import binascii
from typing import Any

from zope.interface import implementer

from torsion.cred.credentials import UsernamePassword
from torsion.cred.error import LoginFailed
from torsion.web.iweb import ICredentialFactory

__all__ = ["BasicCredentialFactory"]


@implementer(ICredentialFactory)
class BasicCredentialFactory:
    """Asks for a name and a password as such.

    :ivar authenticationRealm: what the user is shown, so as to know which password is meant.
    """

    scheme = b"basic"

    def __init__(self, authenticationRealm: bytes | str) -> None:
        """Make a factory.

        :param authenticationRealm: what the user is shown.
        """
        self.authenticationRealm = authenticationRealm

    def getChallenge(self, request: Any) -> dict[str, bytes | str]:
        """Return a challenge: the realm."""
        return {"realm": self.authenticationRealm}

    def decode(self, response: bytes, request: Any) -> UsernamePassword:
        """Return the name and the password of a request.

        :param response: the header's text after the word ``Basic``.  Padding may lack.
        :raises LoginFailed: if it is not in base64, or has no colon.
        """
        try:
            plain = binascii.a2b_base64(response + b"===")
        except binascii.Error:
            raise LoginFailed("Invalid credentials: they are not in base64") from None
        name, colon, password = plain.partition(b":")
        if not colon:
            raise LoginFailed("Invalid credentials: there is no colon between a name and a password")
        return UsernamePassword(name, password)
