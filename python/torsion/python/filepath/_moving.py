"""Copying and moving: what takes more than one call of the system."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from ._errors import LinkError
from ._names import is_beneath

if TYPE_CHECKING:
    from ._path import FilePath

CHUNK = 1 << 18
"""Bytes that are copied at a time; larger ones were no faster, and held more memory."""


def copy(source: FilePath[Any], destination: FilePath[Any], followLinks: bool, above: tuple[Any, ...] = ()) -> None:
    """Copy a file, or a directory with all that is in it.

    :param above: the real paths of the directories that are being copied.
    """
    if not followLinks and source.islink():
        os.symlink(os.readlink(source.path), destination.path)
    elif source.isdir():
        real = source._identity()
        if real in above:
            raise LinkError(f"{source.path!r} leads back to a directory that it is in")
        if not above and is_beneath(os.fsdecode(destination._identity()), os.fsdecode(real)):
            raise OSError(errno.EINVAL, "cannot copy a directory into itself", source.path, None, destination.path)
        if not destination.exists():
            destination.createDirectory()
        for child in source.children():
            copy(child, destination.child(child.basename()), followLinks, (*above, real))
    elif source.isfile():
        # The destination first: if it cannot be written, nothing need be read.
        with destination.open("w") as writer, source.open() as reader:
            while chunk := reader.read(CHUNK):
                writer.write(chunk)
    elif not source.exists():
        raise FileNotFoundError(errno.ENOENT, "there is nothing to copy", source.path)
    else:
        raise NotImplementedError(f"{source.path!r} is neither a file nor a directory, and no more is copied")
    destination.changed()


def move(source: FilePath[Any], destination: FilePath[Any], followLinks: bool) -> None:
    """Rename, or copy and remove where the two are in different file systems."""
    try:
        os.rename(source.path, destination.path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    else:
        source.changed()
        destination.changed()
        return
    # Nobody sees half a copy, nor half of what is removed: both happen under other names.
    arriving = destination.temporarySibling()
    try:
        source.copyTo(arriving, followLinks)
        arriving.moveTo(destination, followLinks)
    except BaseException:
        arriving.changed()
        if arriving.exists() or arriving.islink():
            arriving.remove()
        raise
    leaving = source.temporarySibling()
    source.moveTo(leaving, followLinks)
    leaving.remove()
    source.changed()
    destination.changed()
