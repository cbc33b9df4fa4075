"""Databases of users that stand in for the system's in tests: what ``pwd`` and ``spwd`` give, of users one makes up."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ShadowDatabase", "UserDatabase"]


class _User(NamedTuple):
    pw_name: str
    pw_passwd: str
    pw_uid: int
    pw_gid: int
    pw_gecos: str
    pw_dir: str
    pw_shell: str


class _Shadow(NamedTuple):
    sp_nam: str
    sp_pwd: str
    sp_lstchg: int
    sp_min: int
    sp_max: int
    sp_warn: int
    sp_inact: int
    sp_expire: int
    sp_flag: int

    @property
    def sp_namp(self) -> str:
        """The name, as ``spwd`` calls it now."""
        return self.sp_nam

    @property
    def sp_pwdp(self) -> str:
        """The password, as ``spwd`` calls it now."""
        return self.sp_pwd


def _text(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a user's name is str, not {type(name).__name__}")
    return name


class UserDatabase:
    """Stands in for the module :mod:`pwd`."""

    _uid = 10101  # of the first user without one of his own; far from those that systems give
    _gid = 20202

    def __init__(self) -> None:
        """Be empty."""
        self._users: list[_User] = []

    def addUser(
        self,
        username: str,
        password: str = "password",  # noqa: S107 - of a user that is made up
        uid: int | None = None,
        gid: int | None = None,
        gecos: str = "",
        home: str = "",
        shell: str = "/bin/sh",
    ) -> None:
        """Add a user.

        :param uid: his number; by default one that no other has.
        :param gid: his group's; by default one that no other has.
        """
        if uid is None:
            uid, self._uid = self._uid, self._uid + 1
        if gid is None:
            gid, self._gid = self._gid, self._gid + 1
        self._users.append(_User(username, password, uid, gid, gecos, home, shell))

    def getpwuid(self, uid: int) -> _User:
        """Return the user of the number *uid*.

        :raise KeyError: if there is none.
        """
        for user in self._users:
            if user.pw_uid == uid:
                return user
        raise KeyError(f"there is no user {uid}")

    def getpwnam(self, name: str) -> _User:
        """Return the user called *name*.

        :raise KeyError: if there is none.
        :raise TypeError: if that is not text.
        """
        for user in self._users:
            if user.pw_name == _text(name):
                return user
        raise KeyError(_text(name))

    def getpwall(self) -> list[_User]:
        """Return all users."""
        return list(self._users)


class ShadowDatabase:
    """Stands in for the module ``spwd``, which Python had up to 3.12."""

    def __init__(self) -> None:
        """Be empty."""
        self._users: list[_Shadow] = []

    def addUser(
        self,
        username: str,
        password: str,
        lastChange: int,
        min: int,
        max: int,
        warn: int,
        inact: int,
        expire: int,
        flag: int,
    ) -> None:
        """Add a user; the numbers are days, as in ``shadow(5)``."""
        self._users.append(_Shadow(username, password, lastChange, min, max, warn, inact, expire, flag))

    def getspnam(self, username: str) -> _Shadow:
        """Return the user called *username*.

        :raise KeyError: if there is none.
        :raise TypeError: if that is not text.
        """
        for user in self._users:
            if user.sp_nam == _text(username):
                return user
        raise KeyError(_text(username))

    def getspall(self) -> list[_Shadow]:
        """Return all users."""
        return list(self._users)
