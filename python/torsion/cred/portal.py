"""Portals, by which users come in, and realms, which say what is there for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from zope.interface import Interface, providedBy

from torsion.cred.error import UnhandledCredentials
from torsion.internet.defer import Deferred, fail, maybeDeferred
from torsion.python.reflect import qual

__all__ = ["IRealm", "Portal"]


class IRealm(Interface):
    """The application's side: gives the object that acts for a user."""

    def requestAvatar(avatarId: Any, mind: object, *interfaces: Any) -> Any:  # noqa: N805 - an interface's methods have no self
        """Return the avatar of a user.

        :param avatarId: what the checker said, most often the user's name as ``bytes``; ``checkers.ANONYMOUS`` for nobody.
        :param mind: what the client brought along, or ``None``: something for the avatar to speak with the client through.
        :param interfaces: those that the protocol can speak to, the best first.
        :return: a tuple, or a Deferred of one: which of *interfaces* it is, the avatar, and a function without arguments to be
            called when the user has gone.
        :raise NotImplementedError: if it has none for any of *interfaces*.
        """


class Portal:
    """The door between protocols, which bring credentials, and an application, which gives avatars.

    :ivar realm: gives avatars.
    :ivar checkers: a checker for each interface of credentials.
    """

    def __init__(self, realm: Any, checkers: Iterable[Any] = ()) -> None:
        """Make a portal.

        :param realm: an ``IRealm``.
        :param checkers: to be registered, each for the credentials that it names.
        """
        self.realm = realm
        self.checkers: dict[Any, Any] = {}
        for checker in checkers:
            self.registerChecker(checker)

    def listCredentialsInterfaces(self) -> list[Any]:
        """Return the kinds of credentials that can be checked, as interfaces."""
        return list(self.checkers)

    def registerChecker(self, checker: Any, *credentialInterfaces: Any) -> None:
        """Let *checker* check credentials, instead of one that did before.

        :param checker: a ``checkers.ICredentialsChecker``.
        :param credentialInterfaces: for which kinds of credentials; none stands for those that the checker names.
        :raise TypeError: if it names none, nor are any given.
        """
        interfaces = credentialInterfaces or getattr(checker, "credentialInterfaces", None)
        if interfaces is None:
            raise TypeError(f"{checker!r} is no checker: it has no credentialInterfaces")
        for interface in interfaces:
            self.checkers[interface] = checker

    def login(self, credentials: Any, mind: object, *interfaces: Any) -> Deferred[tuple[Any, Any, Callable[[], Any]]]:
        """Check *credentials*, and get the avatar of whoever they are of.

        :param credentials: what a client brought; see ``credentials``.
        :param mind: for the realm; often ``None``.
        :param interfaces: those that the protocol can speak to; at least one, the best first.
        :return: a Deferred of the interface, the avatar and the function to be called when the user has gone; it fails with
            ``error.UnauthorizedLogin`` if the credentials are wrong, with ``error.UnhandledCredentials`` if no checker knows this
            kind, and with whatever else the checker or the realm fails with.
        """
        for interface, checker in self.checkers.items():
            if interface.providedBy(credentials):
                checked = maybeDeferred(checker.requestAvatarId, credentials)
                return checked.addCallback(self.realm.requestAvatar, mind, *interfaces)
        kinds = ", ".join(map(qual, providedBy(credentials)))
        return fail(
            UnhandledCredentials(f"No checker for {kinds or f'{type(credentials).__name__}, which is no credentials'}")
        )
