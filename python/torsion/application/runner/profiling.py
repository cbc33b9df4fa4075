"""``--profile``: how long the functions of a run take, written to a file at its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.errors import StartError
from torsion.application.runner.fitting import Fitting
from torsion.python.usage import CompleteFiles, CompleteList, Completer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torsion.application.runner.run import Run

__all__ = ["Profiling"]

_PROFILERS = ("cprofile", "profile")


def _path(name: str) -> str:
    if not name:
        raise ValueError("name a file")
    return str(Path(name).absolute())


def _profiler(name: str) -> str:
    if name not in _PROFILERS:
        raise ValueError(f"there is no profiler {name!r}; there are {' and '.join(_PROFILERS)}")
    return name


class Profiling(Fitting):
    """Has the reactor run under a profiler."""

    optFlags: ClassVar[Sequence[Sequence[Any]]] = (
        ("savestats", None, "Write the profile as pstats reads it, not as text."),
    )
    optParameters: ClassVar[Sequence[Sequence[Any]]] = (
        ("profile", "p", None, "Measure how long functions take, and write that to this file at the end.", _path),
        ("profiler", None, "cprofile", "Which profiler: cprofile, or profile, which is slower.", _profiler),
    )
    completions: ClassVar[Mapping[str, Completer]] = {"profile": CompleteFiles(), "profiler": CompleteList(_PROFILERS)}

    def fit(self, run: Run) -> None:
        """Put a profiler around the run of the reactor, if asked for.

        :raise StartError: if the file cannot be written.
        """
        path = run.options["profile"]
        if path is None or run.worker is not None:
            return
        try:
            self._file = Path(path).open("wb")  # noqa: SIM115 - now, as long as it is known who wants it; written at the end
        except OSError as problem:
            raise StartError(f"cannot write the profile to {path}: {problem.strerror}") from problem
        self._options = run.options
        loop, run.loop = run.loop, lambda: self._profiled(loop)

    def _profiled(self, loop: Callable[[], object]) -> None:
        profile: Any
        if self._options["profiler"] == "cprofile":
            import cProfile

            profile = cProfile.Profile()
        else:
            import profile as slow

            profile = slow.Profile()
        try:
            profile.runcall(loop)
        finally:
            with self._file:
                self._write(profile)

    def _write(self, profile: Any) -> None:
        import io
        import marshal
        import pstats

        profile.create_stats()
        if self._options["savestats"]:
            marshal.dump(profile.stats, self._file)  # the form that pstats.Stats(name) reads
        else:
            text = io.StringIO()
            pstats.Stats(profile, stream=text).sort_stats("cumulative").print_stats()
            self._file.write(text.getvalue().encode(errors="backslashreplace"))
