"""``--auth memory:alice:secret``: a checker for trying something out."""

from __future__ import annotations

from typing import Any, ClassVar

from zope.interface import implementer

from torsion.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from torsion.cred.credentials import IUsernameHashedPassword, IUsernamePassword
from torsion.cred.strcred import ICheckerFactory, InvalidAuthArgumentString
from torsion.plugin import IPlugin

__all__ = ["InMemoryCheckerFactory", "inMemoryCheckerFactoryHelp", "theInMemoryCheckerFactory"]

inMemoryCheckerFactoryHelp = """
Knows the users and passwords that are named on the command line, where
everybody on this computer can see them.  For trying something out only.
"""
"""What the type is for."""


@implementer(ICheckerFactory, IPlugin)
class InMemoryCheckerFactory:
    """Makes checkers that know the users that they are told of."""

    authType = "memory"
    authHelp = inMemoryCheckerFactoryHelp
    argStringFormat = "A colon-separated list (name:password:...)"
    credentialInterfaces: ClassVar[tuple[Any, ...]] = (IUsernamePassword, IUsernameHashedPassword)

    def generateChecker(self, argstring: str) -> InMemoryUsernamePasswordDatabaseDontUse:
        """Return a checker that knows the users in *argstring*; names and passwords in turn, with colons in between.

        Credentials of clients are bytes, those of programs may be text: it knows both.

        :raise InvalidAuthArgumentString: if a name has no password.
        """
        checker = InMemoryUsernamePasswordDatabaseDontUse()
        pieces = argstring.split(":") if argstring else []
        if len(pieces) % 2:
            raise InvalidAuthArgumentString("argstring must be in format U:P:...")
        for name, password in zip(pieces[::2], pieces[1::2], strict=True):
            checker.addUser(name, password)
            checker.addUser(name.encode(), password.encode())
        return checker


theInMemoryCheckerFactory = InMemoryCheckerFactory()
