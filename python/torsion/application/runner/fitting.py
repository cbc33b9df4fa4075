"""A fitting: one thing that the command can do for whatever it runs, with the options that ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torsion.application.runner.run import Run
    from torsion.python.usage import Completer

__all__ = ["Fitting"]


class Fitting:
    """One thing that the command can do for what it runs; this one does nothing.

    A subclass is named in ``fittings.py``, and its module imports as little as it can: every start of the command, also one that
    only shows the help, imports it.

    :cvar optFlags: its flags among the command's options, as of ``torsion.python.usage.Options``.
    :cvar optParameters: likewise those with a value. A *coerce* there refuses what cannot be used before anything has begun.
    :cvar completions: what shells can offer for a value, by the option's long name.
    :cvar multiUse: long names of options that may be given several times.
    """

    optFlags: ClassVar[Sequence[Sequence[Any]]] = ()
    optParameters: ClassVar[Sequence[Sequence[Any]]] = ()
    completions: ClassVar[Mapping[str, Completer]] = {}
    multiUse: ClassVar[Sequence[str]] = ()

    def check(self, run: Run) -> None:
        """Look at the options before anything is begun; change nothing.

        :param run: its ``options`` have been parsed, up to the sub-command.
        :raise torsion.python.usage.UsageError: if they cannot be used as they were given: two contradict each other, say.
        """

    def begin(self, run: Run) -> None:
        """Do what must be done before there is a reactor and before the sub-command's module is imported.

        :param run: its ``options`` have been parsed, up to the sub-command.
        :raise StartError: if the command must not start.
        """

    def fit(self, run: Run) -> None:
        """Do what is to be done before the service is made: mostly, append to the hooks of *run*.

        :param run: its ``options`` and ``reactor`` are there, its ``service`` is not.
        :raise torsion.application.runner.errors.StartError: if the command must not start.
        """
