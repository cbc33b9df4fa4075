"""Child processes, under the names that Twisted has for them.  Programs use ``reactor.spawnProcess``."""

from torsion.internet.error import ProcessExitedAlready
from torsion.internet.transports.process import Process, PTYProcess
from torsion.internet.transports.process.reaper import (
    reapAllProcesses,
    reapProcessHandlers,
    registerReapProcessHandler,
    unregisterReapProcessHandler,
)

__all__ = [
    "PTYProcess",
    "Process",
    "ProcessExitedAlready",
    "reapAllProcesses",
    "reapProcessHandlers",
    "registerReapProcessHandler",
    "unregisterReapProcessHandler",
]
