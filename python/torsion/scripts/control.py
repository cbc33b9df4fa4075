"""``torsion reload``, ``torsion restart``, ``torsion stop``: asking a running process, and telling what came of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

from torsion.python.usage import CompleteFiles, Completions, Options, UsageError

__all__ = ["PATIENCE", "ControlOptions", "Verb"]

PATIENCE = 120.0
"""How long to wait for the outcome, in seconds: longer than a new process may take to be ready, and than services take to stop."""


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 1e9:
        raise ValueError(f"{text!r} is no number of seconds")
    return seconds


class ControlOptions(Options):
    """Which process, and how long to wait."""

    synopsis = "[options]"
    optParameters: ClassVar[list[list[Any]]] = [
        ["pidfile", None, None, "The pid file of the process; torsion.pid, if neither this nor --control is given."],
        [
            "control",
            None,
            None,
            "The control socket of the process; the pid file's path with .control behind it, if not given.",
        ],
        ["timeout", None, PATIENCE, "Seconds to wait for what comes of it.", _seconds],
    ]
    compData = Completions(optActions={"pidfile": CompleteFiles("*.pid"), "control": CompleteFiles("*.control")})

    def postOptions(self) -> None:
        """Know which process is meant.

        :raise UsageError: if none is.
        """
        if not (self["pidfile"] or self["control"]) and self.parent is not None:
            # As it was started: torsion --pidfile FILE stop.
            self.update({name: self.parent.get(name) for name in ("pidfile", "control")})
        if not (self["pidfile"] or self["control"]):
            from torsion.application.runner.pidfile import DAEMON_PIDFILE

            if not Path(DAEMON_PIDFILE).exists():
                raise UsageError(f"say which process, by --pidfile or --control: there is no {DAEMON_PIDFILE} here")
            self["pidfile"] = DAEMON_PIDFILE


class Verb:
    """One of the three, as the table of tools wants it: with ``Options`` and ``run``."""

    def __init__(self, what: str, longdesc: str) -> None:
        """Make one.

        :param what: what to ask for.
        :param longdesc: what ``--help`` says of it.
        """
        self.what = what
        self.Options: Any = type("Options", (ControlOptions,), {"longdesc": longdesc})

    def run(self, options: Any) -> int:
        """Ask, and tell what came of it.

        :returns: the exit status: 0 if it was done, 1 if not.
        """
        from torsion.application.control.client import ControlError
        from torsion.application.localpeer import LocalConnectError

        try:
            asked = _ask(self.what, options["pidfile"], options["control"], options["timeout"])
        except (ControlError, LocalConnectError) as problem:
            done, text = False, str(problem)
        else:
            done, text = asked
        stream = sys.stdout if done else sys.stderr
        stream.write(f"torsion {self.what}: {text}\n")
        return 0 if done else 1


def _ask(what: str, pidfile: str | None, control: str | None, timeout: float) -> Any:
    """Ask over the control socket; by a signal, if there is none and nobody has named one."""
    from torsion.application.control.client import ControlError, ask
    from torsion.application.control.signals import ask_by_signal
    from torsion.application.localpeer import LocalConnectError
    from torsion.application.runner.control import SUFFIX

    if sys.platform == "win32":
        raise ControlError("on Windows, processes cannot be asked: it has neither the sockets nor the signals for it")
    try:
        return ask(control or f"{pidfile}{SUFFIX}", what, timeout)
    except LocalConnectError as problem:
        if control or not _absent(problem):
            raise
    assert pidfile is not None, "one of the two is there"
    return ask_by_signal(pidfile, what, timeout)


def _absent(problem: Exception) -> bool:
    """Tell whether there is no control socket, rather than one that cannot be used."""
    import errno

    cause = problem.__cause__
    # A pid file whose path is long has none beside it: Python refuses that without a number.
    return isinstance(cause, OSError) and cause.errno in (None, errno.ENOENT, errno.ECONNREFUSED, errno.ENAMETOOLONG)


RELOAD = Verb(
    "reload",
    "Has a running process open its logs anew, rebuild what has changed of its code, and read its configuration again.",
)
RESTART = Verb(
    "restart",
    "Starts a new process in the place of a running one, on the same sockets: no connection is refused. If the new one does not "
    "become ready, the old one goes on.",
)
STOP = Verb("stop", "Stops a running process in order, and waits for its end.")
