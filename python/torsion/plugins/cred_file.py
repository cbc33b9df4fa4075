"""``--auth file:/etc/users``: users and passwords in a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, Any, ClassVar

from zope.interface import implementer

from torsion.cred.checkers import FilePasswordDB
from torsion.cred.credentials import IUsernameHashedPassword, IUsernamePassword
from torsion.cred.strcred import ICheckerFactory
from torsion.plugin import IPlugin

__all__ = ["FileCheckerFactory", "fileCheckerFactoryHelp", "invalidFileWarning", "theFileCheckerFactory"]

fileCheckerFactoryHelp = """
Knows the users in a file, which has a line for each: the name, a colon
and the password, as it is.  Keep it where nobody else can read it.
"""
"""What the type is for."""

invalidFileWarning = "Warning: not a valid file"
"""Is printed where there is no such file: it may come later."""


@implementer(ICheckerFactory, IPlugin)
class FileCheckerFactory:
    """Makes checkers that know the users in a file."""

    authType = "file"
    authHelp = fileCheckerFactoryHelp
    argStringFormat = "Location of a FilePasswordDB-formatted file."
    credentialInterfaces: ClassVar[tuple[Any, ...]] = (IUsernamePassword, IUsernameHashedPassword)
    errorOutput: IO[str] = sys.stderr

    def generateChecker(self, argstring: str) -> FilePasswordDB:
        """Return a checker for the file at the path *argstring*, with a warning if there is none.

        :raise ValueError: if that is empty.
        """
        if not argstring.strip():
            raise ValueError(f"{self.authType!r} requires a filename")
        if not Path(argstring).is_file():
            self.errorOutput.write(f"{invalidFileWarning}: {argstring}\n")
        return FilePasswordDB(argstring)


theFileCheckerFactory = FileCheckerFactory()
