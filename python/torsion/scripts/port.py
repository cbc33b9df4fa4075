"""``torsion port``: moves a program's imports from Twisted to torsion."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.python import usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.porting import Available, Found, Report

__all__ = ["DESCRIPTION", "Options", "run"]

DESCRIPTION = """\
Move a program from Twisted to torsion: its imports, and the dotted names that go with them. What would be changed is shown as a
diff, and names that torsion lacks with what to use instead; those stay Twisted's. Nothing is written without --write. The exit
status is 0 if there is nothing (more) to do, 1 if there is something to be changed, or names that torsion lacks, or
places to be changed by hand, or files that cannot be read or written, and 2 if an argument cannot be used."""

_NOTHING, _SOMETHING, _UNUSABLE = 0, 1, 2


class Options(usage.Options):
    """What to port, and what to do with it."""

    synopsis = "[options] PATH [PATH ...]"
    longdesc = DESCRIPTION
    optFlags: ClassVar[Sequence[Sequence[Any]]] = [
        ["write", None, "Change the files, instead of showing what would change."],
        ["no-diff", None, "Show the report only."],
    ]
    compData = usage.Completions(extraActions=[usage.CompleteFiles(descr="a module or a folder", repeat=True)])

    def parseOptions(self, options: Sequence[str | bytes] | None = None) -> None:
        """Take the arguments, the options of which may also stand behind the paths."""
        words = [os.fsdecode(word) for word in (sys.argv[1:] if options is None else options)]
        if "--_shell-completion" not in words and "--" not in words:
            words.sort(key=lambda word: not word.startswith("-"))  # none of them takes a value
        super().parseOptions(words)

    def parseArgs(self, *paths: str) -> None:
        """Take the paths.

        :raise torsion.python.usage.UsageError: if there is none, or one is empty.
        """
        if not paths:
            raise usage.UsageError("name a module, or a folder with all that is in it")
        if "" in paths:  # which pathlib would take for this folder, with all that is in it
            raise usage.UsageError("a path is empty; this folder is called .")
        self["paths"] = [Path(path) for path in paths]


def run(options: Options) -> int:
    """Port what the options name; return the exit status."""
    from torsion.porting import Available, Report, walk

    for path in options["paths"]:
        try:
            mode = path.stat().st_mode
        except OSError as problem:
            return _refuse(str(problem))
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # to read a pipe or a device may never end
            return _refuse(f"{path} is neither a file nor a folder")
    report = Report()
    available = Available()
    try:
        for found in walk(options["paths"], lambda problem: report.skipped(problem.filename, problem.strerror)):
            _port(found, options, available, report)
        for line in report.lines(bool(options["write"])):
            _say(line)
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = None  # nobody reads on, and Python would complain of it at its end
    return _SOMETHING if report.open or (report.changed and not options["write"]) else _NOTHING


def _refuse(problem: str) -> int:
    print(f"torsion port: {problem}", file=sys.stderr)  # noqa: T201 - a command line's own words
    return _UNUSABLE


def _port(found: Found, options: Options, available: Available, report: Report) -> None:
    from torsion.porting import Unportable, difference, port, replace, requirements

    path = found.path
    try:
        data = path.read_bytes()
        ported = port(data, available) if found.python else None
        if ported is not None and options["write"] and ported.data != data:
            replace(path, ported.data)
    except OSError as problem:
        report.skipped(path, problem.strerror)
        return
    except Unportable as problem:
        report.skipped(path, problem)
        return
    if found.requirements:
        for text, line in requirements(data.decode(errors="replace")):
            report.requires(path, text, line)
    if ported is not None:
        report.ported(path, ported)
        if ported.data != data and not (options["write"] or options["no-diff"]):
            for each in difference(path, data, ported.data):
                _say(each)


def _say(line: str) -> None:
    """Print a line, whatever letters the terminal has."""
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding))  # noqa: T201 - a command line's own words
