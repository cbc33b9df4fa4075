"""Checkers: whose are these credentials?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

from zope.interface import Attribute, Interface, implementer

from torsion.cred.compare import same
from torsion.cred.credentials import IAnonymous, IUsernameHashedPassword, IUsernamePassword
from torsion.cred.error import UnauthorizedLogin
from torsion.internet.defer import Deferred, fail, maybeDeferred, succeed
from torsion.logger import Logger

__all__ = [
    "ANONYMOUS",
    "AllowAnonymousAccess",
    "FilePasswordDB",
    "ICredentialsChecker",
    "InMemoryUsernamePasswordDatabaseDontUse",
    "OnDiskUsernamePasswordDatabase",
]

ANONYMOUS: Final[tuple[()]] = ()
"""The name, to a realm, of whoever came in without one."""


class ICredentialsChecker(Interface):
    """Says whose credentials are."""

    credentialInterfaces = Attribute("The kinds of credentials that it knows: a sequence of interfaces.")

    def requestAvatarId(credentials: Any) -> Any:  # noqa: N805 - an interface's methods have no self
        """Return whose *credentials* are.

        :param credentials: they provide one of ``credentialInterfaces``.
        :return: a name for the realm, most often the user's as ``bytes``, or ``ANONYMOUS``; or a Deferred of it, which fails with
            ``error.UnauthorizedLogin`` if they are wrong.
        """


@implementer(ICredentialsChecker)
class AllowAnonymousAccess:
    """Lets everybody in who wants no name."""

    credentialInterfaces: ClassVar[tuple[Any, ...]] = (IAnonymous,)

    def requestAvatarId(self, credentials: Any) -> Deferred[tuple[()]]:
        """Return a Deferred of ``ANONYMOUS``."""
        return succeed(ANONYMOUS)


def _let_in(matched: object, name: Any) -> Any:
    if matched:
        return name
    raise UnauthorizedLogin("the password is wrong, or there is no such user")


def _refused() -> Deferred[Any]:
    return fail(UnauthorizedLogin("the password is wrong, or there is no such user"))


@implementer(ICredentialsChecker)
class InMemoryUsernamePasswordDatabaseDontUse:
    """Users and their passwords, as they are, in memory.  For tests and examples: nothing else may keep passwords like this.

    :ivar users: the passwords by name, both as ``bytes``.
    """

    credentialInterfaces: ClassVar[tuple[Any, ...]] = (IUsernamePassword, IUsernameHashedPassword)

    def __init__(self, **users: Any) -> None:
        """Make one with *users*, names as keywords."""
        self.users: dict[Any, Any] = {name.encode("utf-8"): password for name, password in users.items()}

    def addUser(self, username: Any, password: Any) -> None:
        """Add a user."""
        self.users[username] = password

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """Return a Deferred of the user's name; see ``ICredentialsChecker``."""
        if credentials.username not in self.users:
            return _refused()
        checked = maybeDeferred(credentials.checkPassword, self.users[credentials.username])
        return checked.addCallback(_let_in, credentials.username)


@implementer(ICredentialsChecker)
class FilePasswordDB:
    """Users and passwords in a file, a line for each, with fields.

    The passwords in it are as they are or, with *hash*, hashed; ``scrypt.hashAs`` is a good one.  Lines with too few fields are
    passed over.

    :ivar cache: whether the file is kept in memory, and read again only when it has changed.
    """

    cache = False

    def __init__(
        self,
        filename: str,
        delim: bytes = b":",
        usernameField: int = 0,
        passwordField: int = 1,
        caseSensitive: bool = True,
        hash: Callable[[Any, Any, bytes], Any] | None = None,
        cache: bool = False,
    ) -> None:
        """Use the file *filename*.

        :param delim: what stands between the fields.
        :param usernameField: which of them is the name, counted from 0.
        :param passwordField: which is the password.
        :param caseSensitive: whether capitals matter in names.
        :param hash: is called with the name and the password that the client sent and the password in the file; what it returns,
            or the Deferred that it returns is fired with, must be equal to the last of these.  The file then is of no use for
            credentials that have no password but something made of it.
        :param cache: keep the file in memory.
        """
        self.filename = filename
        self.delim = delim
        self.ufield = usernameField
        self.pfield = passwordField
        self.caseSensitive = caseSensitive
        self.hash = hash
        self.cache = cache
        kinds = (IUsernamePassword,) if hash is not None else (IUsernamePassword, IUsernameHashedPassword)
        self.credentialInterfaces: tuple[Any, ...] = kinds
        self._kept: dict[bytes, tuple[bytes, bytes]] = {}
        self._state: object = None

    def _load(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield names and passwords.

        :raise UnauthorizedLogin: if the file cannot be read.
        """
        try:
            lines = Path(self.filename).read_bytes().splitlines()
        except OSError as error:
            _log.error("The file of users {file} cannot be read: {error}", file=self.filename, error=error)
            raise UnauthorizedLogin("the users are not known") from None
        for line in lines:
            fields = line.rstrip().split(self.delim)
            if len(fields) > max(self.ufield, self.pfield):
                yield fields[self.ufield], fields[self.pfield]

    def _key(self, name: Any) -> Any:
        return name.lower() if isinstance(name, str | bytes) and not self.caseSensitive else name

    def getUser(self, username: bytes) -> tuple[bytes, bytes]:
        """Return name and password of a user as they are in the file, but the name in small letters where capitals do not matter.

        :raise KeyError: if there is none of that name.
        :raise UnauthorizedLogin: if the file cannot be read.
        """
        wanted = self._key(username)
        if not self.cache:
            for name, password in self._load():
                if self._key(name) == wanted:
                    return self._key(name), password
            raise KeyError(username)
        state = self._stat()
        if state is None or state != self._state:
            # The first line of a name counts, as above.
            lines = [(self._key(name), password) for name, password in self._load()]
            self._kept = {line[0]: line for line in reversed(lines)}
            self._state = state
        return self._kept[wanted]

    def _stat(self) -> object:
        try:
            found = Path(self.filename).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes]:
        """Return a Deferred of the user's name, as ``getUser`` gives it; see ``ICredentialsChecker``."""
        try:
            name, stored = self.getUser(credentials.username)
        except (KeyError, UnauthorizedLogin):
            return _refused()
        if self.hash is None:
            return maybeDeferred(credentials.checkPassword, stored).addCallback(_let_in, name)
        plain = IUsernamePassword(credentials, None)
        if plain is None:
            return _refused()
        hashed = maybeDeferred(self.hash, plain.username, plain.password, stored)
        return hashed.addCallback(same, stored).addCallback(_let_in, name)


OnDiskUsernamePasswordDatabase = FilePasswordDB
"""The same, by its old name."""

_log = Logger()
