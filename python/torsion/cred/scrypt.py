"""Hashes of passwords by scrypt (RFC 7914), which are slow and take memory on purpose.

A hash is text such as ``$scrypt$ln=15,r=8,p=3$<salt>$<key>``, in base64 without padding, as other programs write it, too.  Needs
``cryptography`` (``pip install torsion[cred]``).  To make or to check one takes about a quarter of a second: servers let
``ScryptPasswordChecker`` do it in a thread.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from zope.interface import implementer

from torsion.cred.checkers import ICredentialsChecker
from torsion.cred.compare import same
from torsion.cred.credentials import IUsernamePassword
from torsion.cred.error import UnauthorizedLogin
from torsion.internet.defer import Deferred

__all__ = ["ScryptPasswordChecker", "checkPassword", "hashAs", "hashPassword"]

LOG2_COST, BLOCK_SIZE, LANES = 15, 8, 3
"""What new hashes cost: 32 MiB, three times over.  OWASP's sheet on storing passwords has it among its equals; the others take
more memory, and each thread that checks one has to have it."""
MAX_MEMORY = 256 * 2**20
"""How much memory, in bytes, a hash that is checked may want: none in use wants more, and the text may have been tampered with."""
MAX_WORK = 2**30
"""How many bytes are moved about at most for a hash that is checked: some ten seconds' worth."""
_SALT_SIZE, _KEY_SIZE = 16, 32
_HASH = re.compile(
    rb"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,4}),p=([0-9]{1,4})\$([A-Za-z0-9+/]{0,86})\$([A-Za-z0-9+/]{22,86})"
)


def _derived(password: bytes, salt: bytes, length: int, log2_cost: int, block_size: int, lanes: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=length, n=2**log2_cost, r=block_size, p=lanes).derive(password)


def _encoded(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _decoded(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)


def hashPassword(
    password: bytes | str, *, log2_cost: int = LOG2_COST, block_size: int = BLOCK_SIZE, lanes: int = LANES
) -> bytes:
    """Return a hash of *password* to be kept, with a salt of its own.

    :param password: text stands for its UTF-8.
    :param log2_cost: the logarithm of scrypt's N.
    :param block_size: scrypt's r.  It takes 128 N r bytes of memory.
    :param lanes: scrypt's p: how often all this is done.
    """
    salt = secrets.token_bytes(_SALT_SIZE)
    key = _derived(_bytes_of(password), salt, _KEY_SIZE, log2_cost, block_size, lanes)
    return _written(salt, key, log2_cost, block_size, lanes)


def _written(salt: bytes, key: bytes, log2_cost: int, block_size: int, lanes: int) -> bytes:
    costs = b"$scrypt$ln=%d,r=%d,p=%d" % (log2_cost, block_size, lanes)
    return b"$".join((costs, _encoded(salt), _encoded(key)))


def _bytes_of(password: bytes | str) -> bytes:
    return password.encode("utf-8", "surrogatepass") if isinstance(password, str) else password


def hashAs(username: object, password: bytes | str, stored: bytes) -> bytes:  # noqa: ARG001 - FilePasswordDB calls it so
    """Return the hash of *password* with salt and costs of another hash: equal to that one, if it is of the same password.

    As ``hash`` of a ``checkers.FilePasswordDB``, it makes that a file of hashes.

    :param username: does not matter.
    :param password: what the client sent.
    :param stored: the other hash.
    :raise ValueError: if that is none, or wants more than ``MAX_MEMORY`` or ``MAX_WORK``.
    :raise TypeError: if it is no ``bytes``.
    """
    if not isinstance(stored, bytes):
        raise TypeError(f"the stored hash must be bytes, as hashPassword returns it, not {type(stored).__name__}")
    found = _HASH.fullmatch(stored)
    if found is None:
        raise ValueError("the stored password is no hash by scrypt")
    log2_cost, block_size, lanes = (int(number) for number in found.groups()[:3])
    memory = 128 * block_size << log2_cost
    if memory > MAX_MEMORY or memory * lanes > MAX_WORK:
        raise ValueError(
            f"a hash by scrypt that wants {memory} bytes, {lanes} times over, is not checked: MAX_MEMORY, MAX_WORK"
        )
    salt, key = _decoded(found[4]), _decoded(found[5])
    return _written(
        salt, _derived(_bytes_of(password), salt, len(key), log2_cost, block_size, lanes), log2_cost, block_size, lanes
    )


def checkPassword(password: bytes | str, stored: bytes) -> bool:
    """Return whether *stored* is a hash of *password*.

    :raise ValueError: if it is no hash, or wants more than ``MAX_MEMORY`` or ``MAX_WORK``.
    """
    return same(hashAs(None, password, stored), stored)


@implementer(ICredentialsChecker)
class ScryptPasswordChecker:
    """Checks passwords by their hashes.

    Of a user that does not exist, a hash is computed all the same: the time that it takes does not tell who exists.

    :ivar users: the hashes by name.
    """

    credentialInterfaces: ClassVar[tuple[Any, ...]] = (IUsernamePassword,)

    def __init__(
        self, users: Mapping[bytes, bytes], deferToThread: Callable[..., Deferred[bool]] | None = None
    ) -> None:
        """Check the passwords of *users*.

        :param users: hashes by name.
        :param deferToThread: runs a function with arguments elsewhere, and returns a Deferred of its result; ``None`` stands for
            ``torsion.internet.threads.deferToThread``.
        """
        self.users = users
        self._defer_to_thread = deferToThread
        self._nobody: bytes | None = None

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes]:
        """Return a Deferred of the user's name; see ``checkers.ICredentialsChecker``."""
        if self._defer_to_thread is None:
            from torsion.internet.threads import deferToThread

            self._defer_to_thread = deferToThread
        name = credentials.username
        checked = self._defer_to_thread(self._check, credentials.password, self.users.get(name))
        return checked.addCallback(_let_in, name)

    def _check(self, password: bytes | str, stored: bytes | None) -> bool:
        if stored is not None:
            return checkPassword(password, stored)
        if self._nobody is None:
            self._nobody = hashPassword(secrets.token_bytes(_SALT_SIZE))
        checkPassword(password, self._nobody)
        return False


def _let_in(matched: bool, name: bytes) -> bytes:
    if matched:
        return name
    raise UnauthorizedLogin("the password is wrong, or there is no such user")
