"""The command's parts that are no services: a table of modules, each with ``Options`` and ``run``, imported when asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["TOOLS", "Tool"]


class Tool(NamedTuple):
    """One of the command's parts.

    :ivar load: returns a module that has ``Options``, a ``torsion.python.usage.Options``, and ``run``, which takes an instance that
        has parsed its arguments and returns the exit status.
    :ivar description: what it does, in one line.
    """

    load: Callable[[], Any]
    description: str

    def options(self) -> Any:
        """Make its options."""
        return self.load().Options()

    def run(self, options: Any) -> int:
        """Run it and return the exit status."""
        status: int = self.load().run(options)
        return status


def _completion() -> Any:
    from torsion.scripts import completion

    return completion


def _manhole() -> Any:
    from torsion.scripts import manhole

    return manhole


def _port() -> Any:
    from torsion.scripts import port

    return port


def _top() -> Any:
    from torsion.scripts import top

    return top


def _control(what: str) -> Callable[[], Any]:
    def load() -> Any:
        from torsion.scripts import control

        return getattr(control, what.upper())

    return load


TOOLS: dict[str, Tool] = {
    "completion": Tool(_completion, "Print what a shell needs to complete this command."),
    "manhole": Tool(_manhole, "Open a Python prompt into a running process."),
    "port": Tool(_port, "Move a program from Twisted to torsion."),
    "reload": Tool(_control("reload"), "Have a running process take on changed code and configuration."),
    "restart": Tool(_control("restart"), "Start a new process in the place of a running one; nobody is refused."),
    "stop": Tool(_control("stop"), "Stop a running process in order."),
    "top": Tool(_top, "Show the status of a running process in the terminal."),
}
