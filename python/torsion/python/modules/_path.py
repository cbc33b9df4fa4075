"""Where modules are imported from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from types import ModuleType
from typing import Any
from zipimport import zipimporter

from zope.interface import Interface, implementer

from torsion.python.components import registerAdapter
from torsion.python.filepath import FilePath
from torsion.python.reflect import namedAny
from torsion.python.zippath import ZipArchive

from ._objects import ModuleIterator, PathEntry, PythonModule


class IPathImportMapper(Interface):
    """Tells which path object stands for what an importer imports from; importers are adapted to it."""

    def mapPath(pathLikeString: str) -> Any:
        """Return the path object for *pathLikeString*, an entry of ``sys.path`` or the path of a file."""


@implementer(IPathImportMapper)
class _FilesMapper:
    def mapPath(self, pathLikeString: str) -> Any:
        return FilePath(pathLikeString)


@implementer(IPathImportMapper)
class _ZipMapper:
    def __init__(self, importer: zipimporter) -> None:
        self.archive = importer.archive

    def mapPath(self, pathLikeString: str) -> Any:
        path: Any = ZipArchive(self.archive)
        inside = os.path.relpath(pathLikeString, self.archive)
        return path if inside == os.curdir else path.descendant(inside.split(os.sep))


registerAdapter(_ZipMapper, zipimporter, IPathImportMapper)


class PythonPath(ModuleIterator):
    """The places that modules are imported from, and what has been imported.

    Modules are found without being imported. Packages without ``__init__`` (PEP 420) and modules without a file are not found.
    """

    def __init__(
        self,
        sysPath: Sequence[str] | None = None,
        moduleDict: MutableMapping[str, Any] | None = None,
        sysPathHooks: Iterable[Callable[[str], Any]] | None = None,
        importerCache: MutableMapping[str, Any] | None = None,
        moduleLoader: Callable[[str], Any] = namedAny,
        sysPathFactory: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        """Describe places; by default those that Python imports from, as they are whenever they are asked for.

        :param sysPath: like ``sys.path``.
        :param moduleDict: like ``sys.modules``.
        :param sysPathHooks: like ``sys.path_hooks``.
        :param importerCache: like ``sys.path_importer_cache``.
        :param moduleLoader: imports a module, given its name.
        :param sysPathFactory: is asked for what is like ``sys.path``, each time.
        """
        if sysPath is not None:
            fixed = sysPath
            self._sysPathFactory: Callable[[], Sequence[str]] = lambda: fixed
        else:
            self._sysPathFactory = sysPathFactory or (lambda: sys.path)
        self.moduleDict: Mapping[str, ModuleType | None] = sys.modules if moduleDict is None else moduleDict
        self.sysPathHooks = sys.path_hooks if sysPathHooks is None else sysPathHooks
        self.importerCache = sys.path_importer_cache if importerCache is None else importerCache
        self.moduleLoader = moduleLoader

    @property
    def sysPath(self) -> Sequence[str]:
        """The places, as text."""
        return self._sysPathFactory()

    def __repr__(self) -> str:
        return f"PythonPath({list(self.sysPath)!r},{dict.fromkeys(self.moduleDict)!r})"

    def iterEntries(self) -> Iterator[PathEntry]:
        """Give the places."""
        for each in self.sysPath:
            yield PathEntry(self._smartPath(each), self)

    def _smartPath(self, pathName: str) -> Any:
        """Return the path object for *pathName*, a place or a file in one: of files, or of what is in an archive."""
        place = pathName
        while True:
            importer = self._importer(place)
            above = os.path.dirname(place)
            if isinstance(importer, zipimporter) or above == place or not above:
                break
            if importer is not None and os.path.isdir(place):
                break
            place = above
        return IPathImportMapper(importer, _FilesMapper()).mapPath(pathName)

    def _importer(self, place: str) -> Any:
        try:
            return self.importerCache[place]
        except KeyError:
            pass
        for hook in self.sysPathHooks:
            try:
                return hook(place)
            except ImportError:
                continue
        return None

    def __getitem__(self, modname: str) -> PythonModule:
        """Return the module with the dotted name *modname*.

        :raise KeyError: if there is none, or it has no file.
        """
        module = self.moduleDict.get(modname)
        if module is not None:
            file = getattr(module, "__file__", None)
            if file is None:
                raise KeyError(f"{modname} has no file")
            return PythonModule(
                modname, self._smartPath(file), PathEntry(self._smartPath(self._place_of(module)), self)
            )
        above, _, name = modname.rpartition(".")
        if above:
            return self[above][name]
        return super().__getitem__(modname)

    def _place_of(self, module: ModuleType) -> str:
        """Return the place that an imported module comes from: where the package that it is in is."""
        top: Any = self.moduleDict.get(module.__name__.partition(".")[0]) or module
        file = getattr(top, "__file__", None) or module.__file__ or ""
        place = os.path.dirname(file)
        if os.path.basename(file).startswith("__init__."):
            place = os.path.dirname(place)
        if place not in self.importerCache:
            import warnings

            warnings.warn(
                f"{place} (for module {module.__name__}) not in path importer cache "
                "(PEP 302 violation - check your local configuration).",
                stacklevel=3,
            )
        return place

    def _folders(self) -> Iterator[Any]:
        for entry in self.iterEntries():
            yield entry.filePath

    def _entry_of(self, folder: Any) -> PathEntry:
        return PathEntry(folder, self)


theSystemPath = PythonPath()
"""The places that Python imports from now."""


def walkModules(importPackages: bool = False) -> Iterator[PythonModule]:
    """Give every module that could be imported, those in packages included.

    :param importPackages: whether packages are imported, as only then it is known where else their modules are.
    """
    return theSystemPath.walkModules(importPackages)


def iterModules() -> Iterator[PythonModule]:
    """Give every module and package that could be imported, without those in packages."""
    return theSystemPath.iterModules()


def getModule(moduleName: str) -> PythonModule:
    """Return the module with the dotted name *moduleName*, without importing it.

    :raise KeyError: if there is none, or it has no file.
    """
    return theSystemPath[moduleName]
