"""What the process runs on."""

from __future__ import annotations

import os
import sys
from time import time as seconds

__all__ = ["Platform", "knownPlatforms", "platform", "platformType", "seconds", "shortPythonVersion"]

knownPlatforms: dict[str, str] = {"nt": "win32", "posix": "posix", "java": "java"}
"""From ``os.name`` to the platform's type."""


def shortPythonVersion() -> str:
    """Return Python's version, as in ``"3.11.7"``."""
    return "{}.{}.{}".format(*sys.version_info)


class Platform:
    """What a platform is, and what it can do.

    :ivar type: ``"posix"``, ``"win32"`` or ``"java"``; ``None`` if it is not known.
    """

    type: str | None = None

    def __init__(self, name: str | None = None, platform: str | None = None) -> None:
        """Describe a platform.

        :param name: as ``os.name``, which is the default.
        :param platform: as ``sys.platform``, which is the default.
        """
        self.type = knownPlatforms.get(os.name if name is None else name)
        self._platform = sys.platform if platform is None else platform

    seconds = staticmethod(seconds)
    """Returns the time, in seconds since the epoch."""

    def isKnown(self) -> bool:
        """Return whether the type is known."""
        return self.type is not None

    def getType(self) -> str | None:
        """Return the type."""
        return self.type

    def isMacOSX(self) -> bool:
        """Return whether this is macOS."""
        return self._platform == "darwin"

    def isWinNT(self) -> bool:
        """Return whether this is Windows (deprecated: ``isWindows``)."""
        return self.isWindows()

    def isWindows(self) -> bool:
        """Return whether this is Windows."""
        return self.type == "win32"

    def isVista(self) -> bool:
        """Return whether this is Windows Vista or later."""
        return self._platform == "win32" and sys.getwindowsversion().major >= 6  # type: ignore[attr-defined,no-any-return,unused-ignore]  # Windows has it, and mypy may run elsewhere

    def isLinux(self) -> bool:
        """Return whether this is Linux."""
        return self._platform.startswith("linux")

    def isDocker(self, _initCGroupLocation: str = "/proc/1/cgroup") -> bool:
        """Return whether the process runs in a Docker container on Linux, as told by its control groups."""
        from pathlib import Path

        if not self.isLinux():
            return False
        try:
            with Path(_initCGroupLocation).open("rb") as groups:
                # One line a group, "number:controllers:path".
                paths = [line.strip().split(b":", 2)[-1] for line in groups]
        except OSError:
            return False
        return any(path.startswith((b"/docker/", b"/system.slice/docker-")) for path in paths)

    def supportsThreads(self) -> bool:
        """Return ``True``."""
        return True

    def supportsINotify(self) -> bool:
        """Return whether the system can watch files with inotify."""
        return self.isLinux()


platform = Platform()
"""The platform that this process runs on."""
platformType = platform.getType()
"""Its type."""
