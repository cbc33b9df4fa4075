"""Asking a UNIX system whether a password is a user's: by its lists of users, ``/etc/passwd`` and ``/etc/shadow``."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from zope.interface import implementer

from torsion.cred.checkers import ICredentialsChecker
from torsion.cred.compare import same
from torsion.cred.credentials import IUsernamePassword
from torsion.cred.error import UnauthorizedLogin
from torsion.internet.defer import Deferred, fail, succeed

__all__ = ["UNIXChecker", "verifyCryptedPassword"]

_SHADOW = Path("/etc/shadow")
_ELSEWHERE = ("x", "*", "")
"""What stands in the list of users in place of a password that is not there: it is in the other list, or nobody has one."""


def _old_module(name: str) -> ModuleType | None:
    """Return a module of the standard library that Python 3.13 no longer has, and the ones before warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            if name == "pwd":
                import pwd

                return pwd
            if name == "spwd":
                import spwd

                return spwd
            import crypt
        except ImportError:
            return None
        return crypt


def _crypt(password: str, salt: str) -> str | None:
    """Return what the system's ``crypt`` makes of a password, or ``None`` if it cannot."""
    module = _old_module("crypt")
    if module is not None:
        found: str | None = module.crypt(password, salt)
        return found
    import ctypes
    import ctypes.util

    name = ctypes.util.find_library("crypt")
    if name is None:
        raise OSError("this system has no library called crypt")
    function = ctypes.CDLL(name).crypt
    function.argtypes, function.restype = [ctypes.c_char_p, ctypes.c_char_p], ctypes.c_char_p
    made: bytes | None = function(password.encode(), salt.encode())
    return None if made is None else made.decode("ascii", "replace")


def verifyCryptedPassword(crypted: str | bytes, pw: str | bytes) -> bool:
    """Return whether *crypted* is what the system's ``crypt`` makes of a password.

    :param crypted: from the list of users.
    :param pw: the password; bytes are UTF-8.
    :return: whether it is; false, too, where the system does not know that kind of hash.
    """
    crypted_text = _text(crypted)
    try:
        made = _crypt(_text(pw), crypted_text)
    except (OSError, ValueError):  # a kind that is not known; a NUL in the password
        return False
    # What begins with an asterisk is the library's way to say no.
    return made is not None and not made.startswith("*") and same(made, crypted_text)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


@implementer(ICredentialsChecker)
class UNIXChecker:
    """Lets in whoever has a password on this system.  It can read those only if it runs as root, as a rule.

    That a password or an account has expired it does not look at.
    """

    credentialInterfaces: ClassVar[tuple[Any, ...]] = (IUsernamePassword,)

    def checkPwd(self, pwd: Any, username: str, password: str) -> Deferred[str] | None:
        """Ask the list of users.

        :param pwd: the module.
        :param username: the name.
        :param password: the password.
        :return: a Deferred of the name, or one that fails with ``UnauthorizedLogin``; ``None`` if the password is kept elsewhere.
        """
        try:
            crypted = pwd.getpwnam(username).pw_passwd
        except KeyError:
            return _refused()
        return None if crypted in _ELSEWHERE else _answer(crypted, username, password)

    def checkSpwd(self, spwd: Any, username: str, password: str) -> Deferred[str]:
        """Ask the list of passwords.

        :param spwd: the module.
        :param username: the name.
        :param password: the password.
        :return: a Deferred of the name, or one that fails with ``UnauthorizedLogin``.
        """
        try:
            entry = spwd.getspnam(username)
        except (KeyError, OSError):
            return _refused()
        return _answer(str(entry.sp_pwdp), username, password)

    def requestAvatarId(self, credentials: Any) -> Deferred[str]:
        """Return a Deferred of the user's name, as text; see ``checkers.ICredentialsChecker``."""
        try:
            username, password = _name(credentials.username), _name(credentials.password)
        except UnicodeDecodeError:
            return _refused()
        pwd = _old_module("pwd")
        checked = None if pwd is None else self.checkPwd(pwd, username, password)
        if checked is None:
            checked = self.checkSpwd(_old_module("spwd") or _Shadow, username, password)
        return checked


def _name(value: str | bytes) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else value


class _Entry:
    def __init__(self, crypted: str) -> None:
        self.sp_pwdp = crypted


class _Shadow:
    """The list of passwords, where Python has no module for it."""

    @staticmethod
    def getspnam(name: str) -> _Entry:
        for line in _SHADOW.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            fields = line.split(":")
            if len(fields) > 1 and fields[0] == name:
                return _Entry(fields[1])
        raise KeyError(name)


def _answer(crypted: str, username: str, password: str) -> Deferred[str]:
    # One that is locked has its hash after an exclamation mark; one that is empty lets nobody in.
    if crypted and verifyCryptedPassword(crypted, password):
        return succeed(username)
    return _refused()


def _refused() -> Deferred[str]:
    return fail(UnauthorizedLogin("the password is wrong, or there is no such user"))
