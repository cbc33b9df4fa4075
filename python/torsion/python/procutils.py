"""Programs that could be started."""

from __future__ import annotations

import os

__all__ = ["which"]


def which(name: str, flags: int = os.X_OK) -> list[str]:
    """Return the paths of all files called *name* in the directories of the environment variable ``PATH``, in order.

    On Windows, names with the extensions of ``PATHEXT`` as well.

    :param flags: what must be allowed with the file, for :func:`os.access`.
    """
    folders = os.environ.get("PATH")
    if folders is None:
        return []
    extensions = ["", *filter(None, os.environ.get("PATHEXT", "").split(os.pathsep))]
    candidates = (
        os.path.join(folder, name + extension)  # noqa: PTH118 - what is returned is text
        for folder in folders.split(os.pathsep)
        for extension in extensions
    )
    return [each for each in candidates if os.access(each, flags)]
