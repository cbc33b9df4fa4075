"""Entries of the path, and modules, which are found without being imported."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

from torsion.python.filepath import UnlistableError

from ._attributes import PythonAttribute, attributes_of
from ._files import module_in, rank

if TYPE_CHECKING:
    from ._path import PythonPath

_NOTHING: Any = object()


class ModuleIterator:
    """Something that modules are in: an entry of the path, a package, or the path itself."""

    def _folders(self) -> Iterator[Any]:
        """Give the directories that modules may be in."""
        raise NotImplementedError

    def _prefix(self) -> str:
        """Return what the names of the modules begin with."""
        return ""

    def _entry_of(self, folder: Any) -> PathEntry:
        """Return the entry of the path that the modules in *folder* belong to."""
        raise NotImplementedError

    def iterModules(self) -> Iterator[PythonModule]:
        """Give the modules and packages right in here, each once."""
        found: set[str] = set()
        for folder in self._folders():
            try:
                children = sorted(folder.children(), key=rank)
            except UnlistableError:
                continue  # it is not there, is no directory or may not be read: the import system passes over it, too
            here: dict[str, Any] = {}
            for child in children:
                name, file = module_in(child)
                if name is not None and name not in found:
                    here.setdefault(name, file)
            found.update(here)
            for name in sorted(here):
                yield PythonModule(self._prefix() + name, here[name], self._entry_of(folder))

    def walkModules(self, importPackages: bool = False) -> Iterator[PythonModule]:
        """Give the modules in here, and those in their packages, each package before what is in it.

        :param importPackages: whether packages are imported, as only then it is known where else their modules are.
        """
        for module in self.iterModules():
            yield from module.walkModules(importPackages)

    def __iter__(self) -> Iterator[PythonModule]:
        """Give the modules and packages right in here."""
        return self.iterModules()

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def __getitem__(self, modname: str) -> PythonModule:
        """Return the module *modname* that is right in here.

        :raise KeyError: if there is none.
        """
        wanted = self._prefix() + modname
        for module in self.iterModules():
            if module.name == wanted:
                return module
        raise KeyError(modname)


class PythonModule(ModuleIterator):
    """A module, or a package, that may have been imported or not.

    :ivar name: the dotted name.
    :ivar filePath: the path of its file; of a package, that of its ``__init__``.
    :ivar pathEntry: the entry of the path that it was found by.
    """

    def __init__(self, name: str, filePath: Any, pathEntry: PathEntry) -> None:
        """Stand for the module *name* in the file *filePath*."""
        self.name = name
        self.filePath = filePath
        self.parentPath = filePath.parent()
        self.pathEntry = pathEntry

    def __repr__(self) -> str:
        return f"PythonModule<{self.name!r}>"

    def __eq__(self, other: object) -> bool:
        return self.name == other.name if isinstance(other, PythonModule) else NotImplemented

    def __hash__(self) -> int:
        return hash((PythonModule, self.name))

    def _loaded(self) -> ModuleType | None:
        return self.pathEntry.pythonPath.moduleDict.get(self.name)

    def isLoaded(self) -> bool:
        """Return whether it has been imported."""
        return self._loaded() is not None

    def isPackage(self) -> bool:
        """Return whether it is a package."""
        return bool(self.filePath.basename().startswith("__init__."))

    def load(self, default: Any = _NOTHING) -> Any:
        """Import the module and return it.

        :param default: what is returned if that fails; without it, the error is raised.
        """
        try:
            return self.pathEntry.pythonPath.moduleLoader(self.name)
        except Exception:
            if default is _NOTHING:
                raise
            return default

    def iterAttributes(self) -> Iterator[PythonAttribute]:
        """Give the attributes of the module, which must have been imported.

        :raise NotImplementedError: if it has not.
        """
        module = self._loaded()
        if module is None:
            raise NotImplementedError(f"{self.name} is not imported, so it is not known what is in it: load() it first")
        return attributes_of(self, module)

    def walkModules(self, importPackages: bool = False) -> Iterator[PythonModule]:
        """Give this module, and if it is a package, all beneath it.

        :param importPackages: whether packages are imported, as only then it is known where else their modules are.
        """
        yield self
        if self.isPackage():
            if importPackages:
                self.load()
            yield from super().walkModules(importPackages)

    def _prefix(self) -> str:
        return self.name + "."

    def _entry_of(self, folder: Any) -> PathEntry:
        return self.pathEntry

    def _folders(self) -> Iterator[Any]:
        if not self.isPackage():
            return
        module = self._loaded()
        if module is None:
            yield self.parentPath
            return
        # A package may say that its modules are elsewhere, too, or that it has none.
        for folder in getattr(module, "__path__", ()):
            yield self.pathEntry.pythonPath._smartPath(folder)


class PathEntry(ModuleIterator):
    """A directory, or an archive, that modules are imported from.

    :ivar filePath: its path.
    :ivar pythonPath: the :class:`PythonPath` that it is an entry of.
    """

    def __init__(self, filePath: Any, pythonPath: PythonPath) -> None:
        """Stand for the entry *filePath* of *pythonPath*."""
        self.filePath = filePath
        self.pythonPath = pythonPath

    def __repr__(self) -> str:
        return f"PathEntry<{self.filePath!r}>"

    def _folders(self) -> Iterator[Any]:
        yield self.filePath

    def _entry_of(self, folder: Any) -> PathEntry:
        return self
