"""Users and groups of the system, and becoming another one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def uidFromString(uidString: str) -> int:
    """Return the number of a user.

    :param uidString: the number, or the name.
    :raise KeyError: if there is no user of that name.
    """
    try:
        return int(uidString)
    except ValueError:
        import pwd

        return pwd.getpwnam(uidString).pw_uid


def gidFromString(gidString: str) -> int:
    """Return the number of a group.

    :param gidString: the number, or the name.
    :raise KeyError: if there is no group of that name.
    """
    try:
        return int(gidString)
    except ValueError:
        import grp

        return grp.getgrnam(gidString).gr_gid


def initgroups(uid: int, primaryGid: int) -> None:
    """Have the process be in all groups of the user *uid*, and in *primaryGid*.

    :raise TypeError: if *primaryGid* is no number.
    :raise KeyError: if there is no such user.
    """
    import pwd

    os.initgroups(pwd.getpwuid(uid).pw_name, primaryGid)


def switchUID(uid: int, gid: int | None, euid: bool = False) -> None:
    """Become the user *uid*, with its groups. It warns, and does nothing, if the process is that user's already.

    :param gid: the group to be in besides.
    :param euid: whether only the effective user is set, so that the process may go back.
    """
    current, become, name = (os.geteuid, os.seteuid, "seteuid") if euid else (os.getuid, os.setuid, "setuid")
    if current() == uid:
        import warnings

        kind = "euid" if euid else "uid"
        warnings.warn(
            f"tried to drop privileges and {name} {uid} but {kind} is already {uid}; should we be root? Continuing.",
            stacklevel=2,
        )
        return
    import pwd

    initgroups(uid, pwd.getpwuid(uid).pw_gid if gid is None else gid)
    become(uid)


def runAsEffectiveUser(euid: int, egid: int, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what *function* returns when it runs as the effective user *euid* and group *egid*.

    The process is itself again afterwards, whatever happens.
    """
    uid, gid = os.geteuid(), os.getegid()
    _become((uid, gid), (euid, egid))
    try:
        return function(*args, **kwargs)
    finally:
        _become((euid, egid), (uid, gid))


def _become(old: tuple[int, int], new: tuple[int, int]) -> None:
    """Change the effective user and group; only root may, so that is what the process is in between."""
    if old == new:
        return
    if old[0] != 0:
        os.seteuid(0)
    if old[1] != new[1]:
        os.setegid(new[1])
    if new[0] != 0:
        os.seteuid(new[0])


def getPassword(
    prompt: str = "Password: ",
    confirm: bool | int = 0,
    forceTTY: bool | int = 0,
    confirmPrompt: str = "Confirm password: ",
    mismatchMessage: str = "Passwords don't match.",
) -> str:
    """Return a password that is typed, without showing it, or the next line of the input if that is no terminal.

    :param confirm: whether it must be typed twice; on a terminal only.
    :param forceTTY: whether a terminal is needed.
    :raise RuntimeError: if it is, and there is none.
    """
    if not sys.stdin.isatty():
        if not forceTTY:
            return sys.stdin.readline().rstrip("\r\n")
        return _from_terminal(prompt, confirm, confirmPrompt, mismatchMessage)
    return _asked(prompt, confirm, confirmPrompt, mismatchMessage)


def _from_terminal(prompt: str, *rest: Any) -> str:
    """Ask at the process's own terminal, wherever its input comes from."""
    path = "CON" if os.name == "nt" else "/dev/tty"
    before = sys.stdin, sys.stdout
    try:
        with open(path, encoding="utf-8") as reader, open(path, "w", encoding="utf-8") as writer:
            sys.stdin, sys.stdout = reader, writer
            return _asked(prompt, *rest)
    except OSError as error:
        raise RuntimeError("Cannot obtain a TTY: a password must be typed at a terminal, and there is none") from error
    finally:
        sys.stdin, sys.stdout = before


def _asked(prompt: str, confirm: bool | int, confirmPrompt: str, mismatchMessage: str) -> str:
    import getpass

    while True:
        password = getpass.getpass(prompt)
        if not confirm or getpass.getpass(confirmPrompt) == password:
            return password
        sys.stdout.write(f"{mismatchMessage}\n")


if sys.platform == "win32":  # there are no numbers for users there
    del initgroups, switchUID, runAsEffectiveUser, _become
