"""``--auth anonymous``: lets everybody in who wants no name."""

from __future__ import annotations

from typing import Any, ClassVar

from zope.interface import implementer

from torsion.cred.checkers import AllowAnonymousAccess
from torsion.cred.credentials import IAnonymous
from torsion.cred.strcred import ICheckerFactory
from torsion.plugin import IPlugin

__all__ = ["AnonymousCheckerFactory", "anonymousCheckerFactoryHelp", "theAnonymousCheckerFactory"]

anonymousCheckerFactoryHelp = """
Lets everybody in without a name, where the server has something for them.
"""
"""What the type is for."""


@implementer(ICheckerFactory, IPlugin)
class AnonymousCheckerFactory:
    """Makes checkers that let everybody in without a name."""

    authType = "anonymous"
    authHelp = anonymousCheckerFactoryHelp
    argStringFormat = "No argstring required."
    credentialInterfaces: ClassVar[tuple[Any, ...]] = (IAnonymous,)

    def generateChecker(self, argstring: str = "") -> AllowAnonymousAccess:
        """Return a checker; *argstring* does not matter."""
        return AllowAnonymousAccess()


theAnonymousCheckerFactory = AnonymousCheckerFactory()
