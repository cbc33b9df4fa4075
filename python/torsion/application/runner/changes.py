"""Which modules of a running program have changed on disk since they were loaded, and in which order to take them on."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING

from torsion.application.runner.imports import imported, statements
from torsion.application.sourcefile import NAME as APPLICATION

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TORSION", "Change", "Changes", "usersModules"]

_TICK = 20_000_000
"""How many nanoseconds the time in a file's record may lag behind the clock: the kernel's own clock for files ticks each 1 to
10 ms."""

TORSION = "torsion itself is not exchanged while it runs; a restart uses the new one"
"""Why its modules are not rebuilt."""

_STDLIB = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120 - a beginning to compare texts with
_TORSION = sys.modules["torsion"].__path__[0] + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


@dataclass(frozen=True)
class Seen:
    """A source as it was: its record on disk, and what its text hashes to, if that was read."""

    record: tuple[int, int, int]
    digest: int | None


_CHANGED = Seen((0, 0, 0), None)
"""What no file is."""


@dataclass
class Change:
    """A module whose source is not what it was when it was loaded.

    :ivar module: the module.
    :ivar path: its source.
    :ivar why_not: why it cannot be rebuilt; empty if that can be tried.
    :ivar needs: those of the other changed modules that it imports, itself or by way of modules that have not changed.
    """

    module: ModuleType
    path: str
    why_not: str = ""
    needs: set[str] = field(default_factory=set)


class Changes:
    """The sources of the modules that are loaded, as they were.

    Looked after are all modules that have a file, but for the standard library and the main program. Those of the user's are
    compared by what they say, so that a file that was only touched has not changed; those that are installed
    (``site-packages``), by the file's time and size, which spares reading hundreds of them when the program starts.

    :ivar statements: what the file of ``-y`` did when it was run, if there is one; see ``imports.py``.
    """

    def __init__(self) -> None:
        """Begin; what is changed from now on counts, even before :meth:`note`."""
        self._noted = time.time_ns() - _TICK
        self._seen: dict[str, Seen] = {}
        self.statements: str | None = None

    def note(self) -> None:
        """Take the modules that are loaded for what their sources say now; those that have been noted before are left alone."""
        began = time.time_ns() - _TICK
        for name, _, path in _modules():
            if name not in self._seen and (record := _record(path)) is not None:
                self._seen[name] = self._fresh(path, record)
                if name == APPLICATION and self._seen[name].digest is not None:
                    self.statements = statements(_text(path))
        self._noted = began

    def _fresh(self, path: str, record: tuple[int, int, int]) -> Seen:
        if record[0] > self._noted:
            return _CHANGED  # since we began: it may have been loaded before that
        seen = self.state(path, record)
        return seen if _record(path) == record else _CHANGED

    def find(self) -> list[Change]:
        """Return the modules that have changed, each after those that it needs.

        It is what it was for modules that were loaded since :meth:`note`, unless their files have changed since then.
        """
        found = {}
        for name, module, path in _modules():
            record = _record(path)
            seen = self._seen.get(name)
            if record is None:
                if seen is not None:
                    found[name] = Change(module, path, "its source is gone")
            elif seen is None:
                self._seen[name] = seen = self._fresh(path, record)
            if record is None or seen is None or record == seen.record:
                continue
            if seen.digest is not None and seen.digest == _digest(path):
                self._seen[name] = Seen(record, seen.digest)  # only touched
                continue
            found[name] = Change(module, path, _why_not(path))
        self._noted = time.time_ns() - _TICK
        return _ordered(found)

    def settle(self, change: Change, state: Seen) -> None:
        """Take a module for what its source said in *state*, as :meth:`state` returned it before that was read."""
        self._seen[change.module.__name__] = state

    @staticmethod
    def state(path: str, record: tuple[int, int, int] | None = None) -> Seen:
        """Return what a file is now.

        :param record: its record on disk, if that is known.
        """
        # The record first: what is written meanwhile counts as another change.
        record = record or _record(path) or _CHANGED.record
        return Seen(record, _digest(path) if _users(path) and _source(path) else None)


def usersModules() -> list[ModuleType]:
    """Return the modules that are neither of the standard library, nor installed, nor torsion's."""
    return [module for _, module, path in _modules() if _users(path)]


def _modules() -> Iterator[tuple[str, ModuleType, str]]:
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        # A module may stand under a second name as well; and what stands there need not be a module.
        if (
            not isinstance(path, str)
            or not isinstance(module, ModuleType)
            or name == "__main__"
            or module.__name__ != name
        ):
            continue
        if path.startswith(_STDLIB) and not any(each in path for each in _INSTALLED):
            continue
        yield name, module, path


def _record(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - a path object for each of a thousand modules
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _digest(path: str) -> int | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return hash(file.read())
    except OSError:
        return None


def _source(path: str) -> bool:
    return not path.endswith((".so", ".pyd", ".dll", ".pyc"))


def _users(path: str) -> bool:
    return not path.startswith(_TORSION) and not any(each in path for each in _INSTALLED)


def _why_not(path: str) -> str:
    if path.startswith(_TORSION):
        return TORSION
    if not _source(path):
        return "it is compiled; a restart uses the new one"
    return ""


def _ordered(found: dict[str, Change]) -> list[Change]:
    """Return the changes, each after those that it needs; of a ring, the one that was loaded last is first."""
    needs = _Needs(found)
    ordered: list[Change] = []
    done: set[str] = set()

    def visit(name: str) -> None:
        done.add(name)
        for other in sorted(found[name].needs - done):
            if other not in done:
                visit(other)
        ordered.append(found[name])

    for name, change in found.items():
        change.needs = needs.of(name)
    for name in found:
        if name not in done:
            visit(name)
    return ordered


class _Needs:
    """Which changed modules a module makes use of; by way of others, too."""

    def __init__(self, found: dict[str, Change]) -> None:
        self._found = found
        self._direct: dict[str, set[str]] = {}

    def of(self, name: str) -> set[str]:
        reached: set[str] = set()
        waiting = [name]
        while waiting:
            for other in self._imports(waiting.pop()) - reached:
                reached.add(other)
                waiting.append(other)
        return {each for each in reached if each in self._found and each != name}

    def _imports(self, name: str) -> set[str]:
        if name not in self._direct:
            change = self._found.get(name)
            module = sys.modules.get(name)
            if change is not None and not change.why_not:
                names = imported(_text(change.path), change.module)
            elif isinstance(module, ModuleType):
                names = _live(module)
            else:
                names = set()
            self._direct[name] = {each for each in names if each != name and (each in self._found or _is_users(each))}
        return self._direct[name]


def _live(module: ModuleType) -> set[str]:
    """Return the modules that a module's variables come from: it has not changed, so that its source need not be read."""
    names: set[str] = set()
    for value in list(vars(module).values()):
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(name, str):
            names.add(name)
    return names


def _is_users(name: str) -> bool:
    path = getattr(sys.modules.get(name), "__file__", None)
    return isinstance(path, str) and not path.startswith(_STDLIB) and _users(path)


def _text(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return file.read()
    except OSError:
        return b""
