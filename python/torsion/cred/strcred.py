"""Checkers from text, ``--auth file:/etc/users``, for command lines.

What is before the first colon is the type, the rest is for the plugin of that type: an object that provides ``ICheckerFactory``
and ``torsion.plugin.IPlugin``.  torsion comes with ``anonymous``, ``file``, ``memory`` and ``unix``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any, NoReturn

from zope.interface import Attribute, Interface

from torsion.plugin import getPlugins
from torsion.python.reflect import qual

__all__ = [
    "AuthOptionMixin",
    "ICheckerFactory",
    "InvalidAuthArgumentString",
    "InvalidAuthType",
    "StrcredException",
    "UnsupportedInterfaces",
    "findCheckerFactories",
    "findCheckerFactory",
    "makeChecker",
    "notSupportedWarning",
]

notSupportedWarning = "WARNING: This authType is not supported by this application."
"""Stands in the help about a type that the program cannot use."""


class ICheckerFactory(Interface):
    """Makes checkers from text: a plugin."""

    authType = Attribute("The word that stands before the colon.")
    authHelp = Attribute("What the type is for, and what may follow the colon: text, of several lines.")
    argStringFormat = Attribute("What may follow the colon, on a line.")
    credentialInterfaces = Attribute("The kinds of credentials that its checkers know: a sequence of interfaces.")

    def generateChecker(argstring: str) -> Any:  # noqa: N805 - an interface's methods have no self
        """Return a checker.

        :param argstring: what followed the colon; ``""`` if there was none.
        :raise InvalidAuthArgumentString: if that is not of the right form.
        """


class StrcredException(Exception):
    """What can be wrong with the text for a checker."""


class InvalidAuthType(StrcredException):
    """There is no plugin of that type."""


class InvalidAuthArgumentString(StrcredException):
    """What followed the colon is not of the right form."""


class UnsupportedInterfaces(StrcredException):
    """The program can use none of the kinds of credentials that the checker knows."""


def findCheckerFactories() -> Iterator[Any]:
    """Yield all plugins: objects that provide ``ICheckerFactory``."""
    yield from getPlugins(ICheckerFactory)


def findCheckerFactory(authType: str) -> Any:
    """Return the first plugin of the type *authType*.

    :raise InvalidAuthType: if there is none.
    """
    for factory in findCheckerFactories():
        if factory.authType == authType:
            return factory
    raise InvalidAuthType(authType)


def makeChecker(description: str) -> Any:
    """Return the checker that *description* asks for: ``"memory:alice:secret"``, say.

    :raise InvalidAuthType: if there is no such type.
    :raise Exception: whatever the plugin raises: ``InvalidAuthArgumentString``, most often.
    """
    authType, _, argstring = description.partition(":")
    return findCheckerFactory(authType).generateChecker(argstring)


class AuthOptionMixin:
    """For a class of ``usage.Options``: adds the options ``--auth``, ``--help-auth`` and ``--help-auth-type``.

    After parsing, ``self["credCheckers"]`` is the list of all checkers, and ``self["credInterfaces"]`` has, for each kind of
    credentials, the list of those that know it.

    :cvar supportedInterfaces: the kinds of credentials that the program can use, as interfaces; ``None`` for all.
    :cvar authOutput: where help goes.
    """

    supportedInterfaces: Sequence[Any] | None = None
    authOutput: IO[str] = sys.stdout

    def supportsInterface(self, interface: Any) -> bool:
        """Return whether the program can use credentials of this kind."""
        return self.supportedInterfaces is None or interface in self.supportedInterfaces

    def supportsCheckerFactory(self, factory: Any) -> bool:
        """Return whether the program can use any of the kinds of credentials that the plugin's checkers know."""
        return any(self.supportsInterface(interface) for interface in factory.credentialInterfaces)

    def addChecker(self, checker: Any) -> None:
        """Add a checker, as ``--auth`` does.

        :raise UnsupportedInterfaces: if the program can use none of the kinds of credentials that it knows.
        """
        supported = [interface for interface in checker.credentialInterfaces if self.supportsInterface(interface)]
        if not supported:
            raise UnsupportedInterfaces(checker.credentialInterfaces)
        options: Any = self
        by_interface = options.setdefault("credInterfaces", {})
        for interface in supported:
            by_interface.setdefault(interface, []).append(checker)
        options.setdefault("credCheckers", []).append(checker)

    def opt_auth(self, description: str) -> None:
        """Specify an authentication method for the server."""
        from torsion.python.usage import (
            UsageError,  # late: plugins of checkers are imported by whoever looks for any plugin
        )

        try:
            self.addChecker(makeChecker(description))
        except UnsupportedInterfaces as error:
            kinds = ", ".join(map(qual, error.args[0]))
            raise UsageError(f"Auth plugin not supported: {kinds}") from None
        except InvalidAuthType as error:
            raise UsageError(f"Auth plugin not recognized: {error}; --help-auth shows those that there are") from None
        except Exception as error:
            raise UsageError(f"Unexpected error: {error}") from error

    def _checkerFactoriesForOptHelpAuth(self) -> Iterator[Any]:
        """Yield the plugins that the program can use, one of each type."""
        seen: set[str] = set()
        for factory in findCheckerFactories():
            if factory.authType not in seen and self.supportsCheckerFactory(factory):
                seen.add(factory.authType)
                yield factory

    def _print(self, *lines: str) -> None:
        self.authOutput.write("".join(f"{line}\n" for line in lines))

    def opt_help_auth(self) -> NoReturn:
        """Show all authentication methods available."""
        rows = sorted((factory.authType, factory.argStringFormat) for factory in self._checkerFactoriesForOptHelpAuth())
        width = max([len("AuthType"), *(len(name) for name, _ in rows)])
        self._print(
            "Usage: --auth AuthType[:ArgString]",
            "For detailed help: --help-auth-type AuthType",
            "",
            *(
                f"  {name:{width}}  {form}"
                for name, form in [("AuthType", "ArgString format"), ("=" * 8, "=" * 16), *rows]
            ),
            "",
        )
        raise SystemExit(0)

    def opt_help_auth_type(self, authType: str) -> NoReturn:
        """Show help for a particular authentication type."""
        from torsion.python.usage import UsageError

        try:
            factory = findCheckerFactory(authType)
        except InvalidAuthType:
            raise UsageError(f"Invalid auth type: {authType}; --help-auth shows those that there are") from None
        self._print(f"Usage: --auth {authType}[:ArgString]", f"ArgString format: {factory.argStringFormat}", "")
        self._print(*(f"  {line.strip()}".rstrip() for line in factory.authHelp.strip().splitlines()), "")
        if not self.supportsCheckerFactory(factory):
            self._print(f"  {notSupportedWarning}", "")
        raise SystemExit(0)
