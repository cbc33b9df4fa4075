"""Figures of this process, as the system and the interpreter tell them."""

from __future__ import annotations

import gc
import os
import platform
import sys
import time
from typing import TYPE_CHECKING, Any

from torsion import __version__
from torsion.application.status.describe import bounded, class_text

if TYPE_CHECKING:
    from torsion.application.status.shape import Process

__all__ = ["ProcessFigures"]


class ProcessFigures:
    """Reads the figures of this process; what never changes is read once."""

    def __init__(self, reactor: Any) -> None:
        """Begin, with the *reactor* that is to be named."""
        self._reactor = class_text(reactor)
        self._platform = bounded(platform.platform())
        self._started = _started()

    def read(self) -> Process:
        """Return the figures of this moment."""
        cpu = os.times()
        rss, virtual = _memory()
        return {
            "pid": os.getpid(),
            "started": self._started,
            "uptime": max(0.0, time.time() - self._started),
            "cpu_user": cpu.user,
            "cpu_system": cpu.system,
            "rss": rss,
            "virtual": virtual,
            "descriptors": _descriptors(),
            "descriptors_max": _descriptors_max(),
            "gc": [
                {
                    "collections": each["collections"],
                    "collected": each["collected"],
                    "uncollectable": each["uncollectable"],
                }
                for each in gc.get_stats()
            ],
            "reactor": self._reactor,
            "torsion": __version__,
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "platform": self._platform,
        }


def _started() -> float:
    """Return when this process began, in seconds since the epoch; where the system does not tell, now."""
    try:
        with open("/proc/self/stat", "rb") as file:  # noqa: PTH123 - no file of a folder, but of the kernel
            ticks = int(file.read().rpartition(b")")[2].split()[19])  # proc(5): starttime, in ticks since the boot
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.time() - (since_boot - ticks / os.sysconf("SC_CLK_TCK"))
    except (AttributeError, IndexError, OSError, ValueError):
        return time.time()


def _memory() -> tuple[int | None, int | None]:
    """Return how many bytes are in memory, and how many there are in all."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - as above
            virtual, rss = file.read().split()[:2]
        page = os.sysconf("SC_PAGE_SIZE")
        return int(rss) * page, int(virtual) * page
    except (OSError, ValueError):
        return _highest_memory(), None


def _highest_memory() -> int | None:
    """Return the most memory that this process has ever had, which is the next best."""
    try:
        import resource
    except ImportError:
        return None
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024  # getrusage(2): bytes there, kilobytes elsewhere


def _descriptors() -> int | None:
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(folder)) - 1  # noqa: PTH208 - names will do; one is that of reading them
        except OSError:
            continue
    return None


def _descriptors_max() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
