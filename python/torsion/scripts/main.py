"""The command ``torsion``: from its arguments to its exit status."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torsion.application.runner.errors import StartError, Stopped
from torsion.application.runner.fittings import FITTINGS
from torsion.application.runner.run import Run
from torsion.application.runner.terminal import complain
from torsion.application.runner.trouble import explain
from torsion.internet.endpoints import EndpointDescriptionError
from torsion.python.usage import UsageError
from torsion.scripts.command import Command
from torsion.scripts.suggest import one_line
from torsion.scripts.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    :param argv: the arguments; None stands for those of this process.
    :returns: its exit status: 0 if all went well, 2 if an argument cannot be used, 1 if it failed otherwise.
    """
    if argv is None:
        _open_standard_descriptors()
        _find_modules_here()
    arguments = sys.argv[1:] if argv is None else list(argv)
    options = Command()
    run = Run(options, arguments, [fitting() for fitting in FITTINGS])
    run.install = options.install
    options.begin = run.begin
    run.doing = "read the options"
    try:
        return run.exit(_guarded(options, run, arguments))
    except SystemExit as ending:  # after --help, or of the program's own doing
        run.exit(ending.code if isinstance(ending.code, int) else int(ending.code is not None))
        raise
    finally:
        if argv is None:
            _flush()


def _open_standard_descriptors() -> None:
    """Have the first three descriptors open, as they may have been closed by whoever called: else sockets would get their numbers."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # has the lowest number that is free
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(("stdin", "stdout", "stderr").index(name), mode, closefd=False)  # noqa: SIM115 - for good
            setattr(sys, name, stream)


def _flush() -> None:
    """Write out what was said, if somebody still reads it; else Python would complain of that at its end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = None


def _find_modules_here() -> None:
    """Have modules of the current folder be found, and drop-ins there: as with ``python -m``, unless Python was told not to (``-P``)."""
    if sys.flags.safe_path:
        return
    try:
        here = str(Path.cwd())
    except OSError:  # it was removed
        return
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)


def _guarded(options: Command, run: Run, arguments: list[str]) -> int:
    """Run the command; tell of whatever keeps it from running."""
    try:
        options.parseOptions(arguments)
        if options.subCommand in TOOLS:
            return TOOLS[options.subCommand].run(options.subOptions)
        run.program = _program(options)
        run.make = lambda: _service(options, run)
        return run.execute()
    except (UsageError, EndpointDescriptionError) as error:
        if options["python"] is not None and run.doing.startswith("run "):  # it was not typed here
            return explain(error, run.doing)
        complain(one_line(str(error), options), _program(options))
        return _USAGE
    except Stopped as stopped:
        complain(f"stopped by {stopped} before it was ready", _program(options))
        return 128 + stopped.number
    except KeyboardInterrupt:  # before there was a handler
        return 128 + signal.SIGINT
    except Exception as problem:  # noqa: BLE001 - plugins and files of Python are somebody else's code
        return explain(problem, run.doing, _program(options))


def _program(options: Command) -> str:
    return "torsion" if options.subCommand is None else f"torsion {options.subCommand}"


def _service(options: Command, run: Run) -> Any:
    """Make what is to be run."""
    from torsion.application.service import IService

    path = options["python"]
    if path is None:
        assert options.subCommand is not None, "the options have seen to that"
        made = options.plugins[options.subCommand].makeService(options.subOptions)
        service = IService(made, None)
        if service is None:
            raise StartError(f"its makeService has returned no service, but {made!r}")
        return service
    from torsion.application.sourcefile import load

    run.doing = f"run {path}"
    try:
        module = load(path)
    except OSError as problem:
        if problem.filename != path:  # of the file's own doing
            raise
        raise StartError(f"cannot read {path}: {problem.strerror}") from problem
    try:
        run.application = module.application
        return IService(run.application)
    except AttributeError:
        raise StartError(f"{path} does not set the variable application") from None
    except TypeError:
        raise StartError(f"application in {path} is no application, but {run.application!r}") from None
