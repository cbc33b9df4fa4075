"""``--auth unix``: the users of this system."""

from __future__ import annotations

from typing import Any, ClassVar

from zope.interface import implementer

from torsion.cred.credentials import IUsernamePassword
from torsion.cred.strcred import ICheckerFactory
from torsion.cred.unix import UNIXChecker, verifyCryptedPassword
from torsion.plugin import IPlugin

__all__ = [
    "UNIXChecker",
    "UNIXCheckerFactory",
    "theUnixCheckerFactory",
    "unixCheckerFactoryHelp",
    "verifyCryptedPassword",
]

unixCheckerFactoryHelp = """
Knows the users that can log in to this system with a password.  The
server must be allowed to read those, which takes root, as a rule.
"""
"""What the type is for."""


@implementer(ICheckerFactory, IPlugin)
class UNIXCheckerFactory:
    """Makes checkers that know the users of this system."""

    authType = "unix"
    authHelp = unixCheckerFactoryHelp
    argStringFormat = "No argstring required."
    credentialInterfaces: ClassVar[tuple[Any, ...]] = (IUsernamePassword,)

    def generateChecker(self, argstring: str) -> UNIXChecker:
        """Return a checker; *argstring* does not matter."""
        return UNIXChecker()


theUnixCheckerFactory = UNIXCheckerFactory()
