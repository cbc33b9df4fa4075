"""The arguments of ``torsion top``, and what it does with them."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.quantities import seconds
from torsion.python import usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.application.status.shape import Snapshot
    from torsion.scripts.top.source import Source

__all__ = ["Options", "run"]

DESCRIPTION = """\
Show the status of a process that was started with --status: URL is http://HOST:PORT/, HOST:PORT, PORT, or what --status was given, such
as tcp:9000; SOCKET is the path of a UNIX socket. Keys: q leaves, s sorts the connections by another column, r turns the order round, p pauses. With --once the status is written
once, for scripts. The exit status is 0 if all went well, 1 if the process did not answer (at first, or with --once), and 2 if an argument
cannot be used."""


class Options(usage.Options):
    """Which process, and how it is shown."""

    synopsis = "[options] URL|SOCKET"
    longdesc = DESCRIPTION
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        ["interval", "n", 1.0, "Every how many seconds to ask.", seconds(0.1, 3600.0)],
    ]
    optFlags: ClassVar[Sequence[Sequence[Any]]] = [
        ["once", None, "Write the status once, and end."],
        ["json", None, "With --once: write the figures as JSON, as /status.json has them."],
        ["plain", None, "Draw without rich, also where it is installed."],
    ]
    compData = usage.Completions(extraActions=[usage.CompleteFiles(descr="the socket")])

    def parseArgs(self, place: str) -> None:  # type: ignore[override]  # the parser sees to the number of arguments
        """Take the place.

        :raise torsion.python.usage.UsageError: if it is none.
        """
        from torsion.scripts.top.source import Source

        try:
            self["source"] = Source(place)
        except ValueError as problem:
            raise usage.UsageError(str(problem)) from problem

    def postOptions(self) -> None:
        """Look whether all goes together.

        :raise torsion.python.usage.UsageError: if it does not.
        """
        if self["json"] and not self["once"]:
            raise usage.UsageError("--json goes with --once")


def run(options: Options) -> int:
    """Show the status; return the exit status."""
    if options["once"]:
        return _once(options["source"], options["json"])
    from torsion.scripts.top.terminal import Terminal, TerminalError

    try:
        terminal = Terminal()
    except TerminalError as problem:
        return _complain(f"{problem}; use --once")
    from torsion.scripts.top.live import Live
    from torsion.scripts.top.source import NoAnswer

    try:
        first = options["source"].get()  # a slip of the pen is told at once, and stays on the screen
    except NoAnswer as problem:
        return _complain(str(problem))
    with terminal:
        Live(terminal, options["source"], options["interval"], first, rich=not options["plain"]).run()
    return 0


def _once(source: Source, as_json: bool) -> int:
    from torsion.scripts.top.source import NoAnswer

    try:
        snapshot = source.get()
    except NoAnswer as problem:
        return _complain(str(problem))
    text = json.dumps(snapshot, indent=2) if as_json else "\n".join(_lines(snapshot))
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), flush=True)  # noqa: T201 - a command line's own words
    except BrokenPipeError:
        sys.stdout = None  # nobody reads on, and Python would complain of it at its end
    return 0


def _lines(snapshot: Snapshot) -> list[str]:
    from torsion.scripts.top.plain import draw
    from torsion.scripts.top.view import Order, view

    width = max(80, shutil.get_terminal_size((120, 24)).columns)
    return draw(view(snapshot, None, Order(), width, None), width, colours=False)


def _complain(text: str) -> int:
    from torsion.application.runner.terminal import complain

    complain(text, "torsion top")
    return 1
