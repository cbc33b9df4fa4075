"""Running a reactor under a profiler."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["AppProfiler", "CProfileRunner", "ProfileRunner"]


class _Profiler:
    """Base of the profilers.

    :ivar saveStats: whether to write what ``pstats`` reads, and not text.
    """

    def __init__(self, profileOutput: str | None, saveStats: bool | int) -> None:
        """Prepare a profiler.

        :param profileOutput: the file to write to; None for standard output.
        :param saveStats: whether to write what ``pstats`` reads, and not text; it takes a file.
        """
        self._profileOutput = profileOutput
        self.saveStats = saveStats

    def _make(self) -> Any:
        raise NotImplementedError

    def run(self, reactor: Any) -> None:
        """Run a reactor under the profiler, and write what that has found, even if it raises.

        :param reactor: the reactor.
        :raise OSError: if the file cannot be written.
        """
        profile = self._make()
        try:
            profile.runcall(reactor.run)
        finally:
            self._write(profile)

    def _write(self, profile: Any) -> None:
        import io
        import pstats

        if self.saveStats and self._profileOutput is not None:
            profile.dump_stats(self._profileOutput)
            return
        text = io.StringIO()
        profile.create_stats()
        pstats.Stats(profile, stream=text).sort_stats("cumulative").print_stats()
        if self._profileOutput is None:
            import sys

            sys.stdout.write(text.getvalue())
        else:
            Path(self._profileOutput).write_text(text.getvalue(), encoding="utf-8", errors="backslashreplace")


class ProfileRunner(_Profiler):
    """Profiles by the standard library's ``profile``, which is slow."""

    def _make(self) -> Any:
        import profile

        return profile.Profile()


class CProfileRunner(_Profiler):
    """Profiles by the standard library's ``cProfile``."""

    def _make(self) -> Any:
        import cProfile

        return cProfile.Profile()


class AppProfiler:
    """The profiler that options ask for.

    :cvar profilers: what makes each kind, by its name.
    :ivar run: runs a reactor under it, as :meth:`CProfileRunner.run`.
    :ivar profiler: its name.
    """

    profilers: Mapping[str, Callable[[str | None, bool | int], Any]] = {
        "profile": ProfileRunner,
        "cprofile": CProfileRunner,
    }

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Choose a profiler.

        :param options: ``profile`` is the file to write to, ``savestats`` whether to write what ``pstats`` reads, and
            ``profiler`` the name: ``cprofile`` if it is left out.
        :raise SystemExit: if there is no profiler of that name.
        """
        self.profiler = str(options.get("profiler") or "cprofile").lower()
        if self.profiler not in self.profilers:
            raise SystemExit(f"Unsupported profiler name: {self.profiler}; there are {', '.join(self.profilers)}")
        kind = self.profilers[self.profiler]
        self.run = kind(options.get("profile"), options.get("savestats", False)).run
