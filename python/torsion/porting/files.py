"""The files of a project: which are to be looked at, and how they are written."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from torsion.porting.requirements import is_about_requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Found", "replace", "walk"]

_PYTHON = frozenset({".py", ".pyi", ".pyw", ".tac"})

_NOT_OURS = frozenset({"__pycache__", "__pypackages__", "node_modules", "site-packages"})
"""Folders of what was installed or made, which the next installation would overwrite."""


class Found(NamedTuple):
    """A file of a project.

    :ivar path: where it is.
    :ivar python: whether it is a module, to be ported.
    :ivar requirements: whether it may say what the project depends on.
    """

    path: Path
    python: bool
    requirements: bool


def walk(paths: Iterable[Path], unreadable: Callable[[OSError], object] | None = None) -> Iterator[Found]:
    """Yield files, in order, and what is in folders; no file twice.

    Symbolic links, hidden folders, virtual environments and what was installed are left alone within folders.  A file that is given
    itself is taken for a module whatever it is called, unless it is one of those that say what a project depends on.

    :param unreadable: called with the error of each folder that cannot be looked into.
    :raises OSError: if one of *paths* is not there.
    """
    seen: set[Path] = set()
    for path in paths:
        for file in _below(path, unreadable) if stat.S_ISDIR(path.stat().st_mode) else [path]:
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                about = is_about_requirements(file.name)
                python = file.suffix in _PYTHON or not about
                if python or about:
                    yield Found(file, python, about)


def _below(folder: Path, unreadable: Callable[[OSError], object] | None) -> Iterator[Path]:
    for top, folders, names in os.walk(folder, onerror=unreadable):  # which follows no links to folders
        folders[:] = sorted(name for name in folders if _is_ours(Path(top, name)))
        for name in sorted(names):
            file = Path(top, name)
            if (file.suffix in _PYTHON or is_about_requirements(name)) and file.is_file() and not file.is_symlink():
                yield file


def _is_ours(folder: Path) -> bool:
    name = folder.name
    return not (name.startswith(".") or name in _NOT_OURS or (folder / "pyvenv.cfg").exists())


def replace(path: Path, data: bytes) -> None:
    """Make *data* the content of a file, at once: nobody finds half of it, whatever happens.  Its owner and permissions stay.

    :raises OSError: if that cannot be done; the file is as it was then.
    """
    real = path.resolve()  # a link stays one
    before = real.stat()
    if not os.access(real, os.W_OK):
        raise PermissionError(13, "the file is read-only", str(path))
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        made = Path(name).stat()
        if (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid):
            with suppress(PermissionError):  # who may write a file need not be able to give one away
                os.chown(name, before.st_uid, before.st_gid)
        Path(name).chmod(stat.S_IMODE(before.st_mode))  # after that, which takes some of them away
        Path(name).replace(real)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
