"""What a program is started with: found in the search path, encoded, and as which user."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torsion._native import spawn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Started", "start"]


@dataclass(frozen=True, slots=True)
class Started:
    """A process that was just started."""

    pid: int
    descriptor: int
    """Becomes readable when it is over; -1 where the system has no such descriptors."""


def start(
    executable: str | bytes,
    args: Sequence[str | bytes],
    environment: Mapping[bytes | str, bytes | str] | None,
    path: str | bytes | None,
    uid: int | None,
    gid: int | None,
    descriptors: Mapping[int, int],
    *,
    terminal: int | None = None,
) -> Started:
    """Start a program.

    :param executable: its path, or a name without a slash, which is looked for in the child's ``PATH``.
    :param descriptors: for each descriptor of the child, which of ours it is.
    :param terminal: which descriptor of the child becomes its controlling terminal, in a session of its own.
    :raises OSError: if the program or *path* is not there or may not be used, or there cannot be another process.
    :raises TypeError: for what cannot be encoded.
    :raises ValueError: for a NUL, or a variable with ``=`` in its name.
    """
    variables = _environment(environment)
    pid, descriptor, errno = spawn(
        _candidates(os.fsencode(executable), variables),
        [os.fsencode(argument) for argument in args],
        [name + b"=" + value for name, value in variables.items()],
        None if path is None else os.fsencode(path),
        list(descriptors.items()),
        session=terminal is not None,
        terminal=terminal,
        user=uid,
        group=gid,
        groups=_groups(uid, gid),
    )
    if errno:
        if descriptor >= 0:
            os.close(descriptor)
        os.waitpid(pid, 0)  # it has ended already
        missing = executable if path is None or Path(os.fsdecode(path)).is_dir() else path
        raise OSError(errno, os.strerror(errno), os.fsdecode(missing))
    return Started(pid, descriptor)


def _environment(environment: Mapping[bytes | str, bytes | str] | None) -> dict[bytes, bytes]:
    given = os.environ if environment is None else environment
    variables = {os.fsencode(name): os.fsencode(value) for name, value in given.items()}
    for name in variables:
        if b"=" in name or not name:
            raise ValueError(f"the name of an environment variable must not be empty nor contain '=', as {name!r} does")
    return variables


def _candidates(executable: bytes, variables: Mapping[bytes, bytes]) -> list[bytes]:
    """Return where the program may be: in the folders of the child's search path if it is a name without a slash."""
    if b"/" in executable:
        return [executable]
    folders = variables.get(b"PATH", os.fsencode(os.defpath)).split(b":")
    return [(folder or b".") + b"/" + executable for folder in folders]


def _groups(uid: int | None, gid: int | None) -> list[int] | None:
    """Return the further groups of a user that a child is to become, if we may set them at all."""
    if uid is None or os.geteuid() != 0:
        return None
    import pwd

    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        return [] if gid is None else [gid]  # a user without a name: at least none of ours
    return os.getgrouplist(user.pw_name, user.pw_gid if gid is None else gid)
