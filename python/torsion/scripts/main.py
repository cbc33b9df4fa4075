"""The command ``torsion``: from its arguments to its exit status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from torsion.application.runner.errors import StartError, Stopped
from torsion.application.runner.fittings import FITTINGS
from torsion.application.runner.run import Run
from torsion.application.runner.terminal import complain
from torsion.python.usage import UsageError
from torsion.scripts.command import Command
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
    arguments = sys.argv[1:] if argv is None else list(argv)
    options = Command()
    run = Run(options, arguments, [fitting() for fitting in FITTINGS])

    def begin() -> None:
        options.install()
        run.begin()

    options.begin = begin
    try:
        options.parseOptions(arguments)
        if options.subCommand in TOOLS:
            return TOOLS[options.subCommand].run(options.subOptions)
        run.make = lambda: _service(options)
        return run.execute()
    except UsageError as error:
        complain(f"{error}", _program(options))
        return _USAGE
    except StartError as error:
        complain(str(error), _program(options))
        return error.status
    except Stopped as stopped:
        return 128 + stopped.number


def _program(options: Command) -> str:
    return "torsion" if options.subCommand is None else f"torsion {options.subCommand}"


def _service(options: Command) -> Any:
    """Make what is to be run."""
    if options["python"] is not None:
        from torsion.application.service import IService, loadApplication

        return IService(loadApplication(options["python"], "python"))
    assert options.subCommand is not None, "the options have seen to that"
    return options.plugins[options.subCommand].makeService(options.subOptions)
