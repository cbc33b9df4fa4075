"""``torsion procmon``: keeps a program running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torsion.application.runner.quantities import seconds
from torsion.python.usage import Completions, UsageError
from torsion.python.usage import Options as _Options
from torsion.runner.procmon import ProcessMonitor

__all__ = ["Options", "makeService"]


class Options(_Options):
    """Which program, and how patiently."""

    synopsis = "[options] PROGRAM [ARGUMENTS]"
    optFlags: ClassVar[Sequence[Sequence[Any]]] = []
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        ["threshold", "t", 1, "Seconds that the program has to run for its end not to count as instant.", seconds()],
        [
            "killtime",
            "k",
            5,
            "Seconds that the program has to end when it is told to, before it is killed.",
            seconds(),
        ],
        [
            "minrestartdelay",
            "m",
            1,
            "Seconds to wait at least before a program that ended instantly is started again.",
            seconds(),
        ],
        ["maxrestartdelay", "M", 3600, "Seconds to wait at most.", seconds()],
    ]
    longdesc = (
        "Runs a program, logs what it prints, and starts it again when it ends. The first time that it ends instantly it is started "
        "again after --minrestartdelay seconds, and each time after that the wait is twice as long, up to --maxrestartdelay; once "
        "it runs for longer, all is forgiven. The program has the environment of this command. Example: torsion procmon sleep 10"
    )
    compData = Completions()

    def parseArgs(self, *args: str) -> None:
        """Take the program and its arguments.

        :raise torsion.python.usage.UsageError: if there is none.
        """
        if not args:
            raise UsageError("name a program to run")
        self["args"] = args

    def postOptions(self) -> None:
        """Check the options together.

        :raise torsion.python.usage.UsageError: if the least delay is longer than the longest.
        """
        if self["minrestartdelay"] > self["maxrestartdelay"]:
            raise UsageError("--minrestartdelay is more than --maxrestartdelay")


def makeService(config: Options) -> ProcessMonitor:
    """Make a monitor of the program that *config* names."""
    monitor = ProcessMonitor()
    monitor.threshold = config["threshold"]
    monitor.killTime = config["killtime"]
    monitor.minRestartDelay = config["minrestartdelay"]
    monitor.maxRestartDelay = config["maxrestartdelay"]
    monitor.addProcess(" ".join(config["args"]), config["args"], env=None)
    return monitor
