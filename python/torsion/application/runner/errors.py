"""Why the command does not start."""

from __future__ import annotations

import signal

__all__ = ["StartError", "Stopped"]


class StartError(Exception):
    """The command cannot start; its text is for whoever called it.

    :ivar status: the exit status: 1, or 2 for arguments that cannot be used.
    """

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


class Stopped(KeyboardInterrupt):
    """A signal asked the command to stop before it was ready.

    As a ``KeyboardInterrupt`` it goes through code that catches every ``Exception``, as that of plugins may.

    :ivar number: the signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return signal.Signals(self.number).name
