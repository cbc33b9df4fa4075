"""Users and groups by name."""

from __future__ import annotations

import os

__all__ = ["ids_of"]


def ids_of(user: str, group: str | None) -> tuple[int | None, int | None]:
    """Return the numbers of a user and a group for ``spawnProcess``: None and None if that is who we are.

    :param user: the user's name.
    :param group: the group's name; None for the user's own.
    :raise LookupError: if there is no such user or group.
    :raise PermissionError: if we are not root, and would have to become somebody else.
    """
    import grp
    import pwd

    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise LookupError(f"there is no user {user!r}") from None
    try:
        gid = entry.pw_gid if group is None else grp.getgrnam(group).gr_gid
    except KeyError:
        raise LookupError(f"there is no group {group!r}") from None
    if os.geteuid() == 0:
        return (None, None) if entry.pw_uid == 0 and group is None else (entry.pw_uid, gid)
    if entry.pw_uid != os.geteuid() or (group is not None and gid != os.getegid()):
        raise PermissionError(
            f"only root may run a program as user {user!r}{'' if group is None else f', group {group!r}'}"
        )
    return None, None
