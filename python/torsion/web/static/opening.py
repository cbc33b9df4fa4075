"""Files are opened so that nothing leads out of the folder that is served, also if it changes meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

__all__ = ["CAN_WALK", "open_beneath"]

_EXTRA: Final = getattr(os, "O_NONBLOCK", 0)
"""A pipe in the place of a file must not be waited for."""

_FOLDER: Final = getattr(os, "O_PATH", 0) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)

_LINK: Final = frozenset([errno.ELOOP, errno.ENOTDIR, errno.EMLINK])
"""What systems say of a symbolic link that is not to be followed."""

CAN_WALK: Final = hasattr(os, "O_PATH") and os.open in os.supports_dir_fd
"""Whether folders can be walked through name by name (Linux, FreeBSD); otherwise a path is opened as it is."""


def open_beneath(top: str | None, path: str, flags: int = os.O_RDONLY) -> int:
    """Open a regular file, and return its descriptor.

    Who may write to the folder could put a symbolic link in the place of a folder or file between the moment when it was
    looked at and the one when it is opened.  So each name is looked up in the folder that was opened for the one before, and
    links are not followed; where there is one, the path is resolved first, and has to end within *top*.

    :param top: the folder out of which no link leads; None if links may lead anywhere.
    :param path: the file.  If it is not below *top*, it is what a program asked for by its name, and is opened as it is.
    :param flags: for ``os.open``.
    :raises OSError: as ``os.open``; with EACCES for what is no regular file, and ENOENT for what is outside.
    """
    flags |= _EXTRA
    if top is None or not CAN_WALK or not path.startswith(top := top.rstrip("/") + "/"):
        descriptor = os.open(path, flags)
    else:
        try:
            descriptor = _walk(top, path[len(top) :], flags)
        except OSError as error:
            if error.errno not in _LINK:
                raise
            real_top = os.path.realpath(top).rstrip("/") + "/"
            real = os.path.realpath(path)
            if not real.startswith(real_top):
                raise FileNotFoundError(errno.ENOENT, "this leads out of the folder that is served", path) from None
            descriptor = _walk(real_top, real[len(real_top) :], flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PermissionError(errno.EACCES, "this is no file", path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _walk(top: str, below: str, flags: int) -> int:
    """Open what is *below* a folder, without following links."""
    *folders, name = below.split("/")
    inside = os.open(top, _FOLDER)
    try:
        for each in folders:
            if each:
                outside, inside = inside, os.open(each, _FOLDER | _NO_LINK, dir_fd=inside)
                os.close(outside)
        return os.open(name, flags | _NO_LINK, dir_fd=inside)
    finally:
        os.close(inside)
