"""Plugins: objects of other projects that are found by the interface that they provide.

Ask :func:`getPlugins` for an interface.  What it hands out comes from two places:

* *Entry points* of installed distributions, in the group named as the plugin package, which is ``torsion.plugins`` unless
  another is asked for.  The point's name says the interface, then a dot, then any word::

      [project.entry-points."torsion.plugins"]
      "IReactorInstaller.curio" = "curio_reactor.plugin:installer"

  Its module is imported only when that interface is asked for.  A name without a dot stands for every interface.  The
  value is an object, or a whole module of them.
* *Drop-ins*: modules in the plugin package.  A package can be spread over all of ``sys.path``: see :func:`pluginPackagePaths`.

An object in a module is a plugin if it provides :class:`IPlugin` beside the interface that it is for.  A plugin that cannot be
had is logged by its name, with its traceback, and left out.  Nothing is written anywhere, and nothing is kept between two calls.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zope.interface import Interface, providedBy

from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoint
    from types import ModuleType

__all__ = ["CachedDropin", "CachedPlugin", "IPlugin", "getCache", "getPlugIns", "getPlugins", "pluginPackagePaths"]

DEFAULT_PACKAGE = "torsion.plugins"
"""The package, and the group of entry points, where plugins are looked for unless another package is named."""

_log = Logger("torsion.plugin")


class IPlugin(Interface):
    """What every plugin in a module provides, beside the interface by which it is looked for."""


def getPlugins(interface: Any, package: ModuleType | None = None) -> Iterator[Any]:
    """Find all plugins for an interface: entry points first, then drop-ins, each as it is found.

    :param interface: the zope interface; a plugin that does not provide it, but can be adapted to it, is adapted.
    :param package: the package to look in for drop-ins, whose name is the entry points' group; None means
        ``torsion.plugins``.
    :returns: an iterator over the plugins.  One that cannot be imported or adapted is logged and left out.
    """
    group = DEFAULT_PACKAGE if package is None else package.__name__
    seen: set[int] = set()
    for found, where in _candidates(interface, group, package):
        if id(found) in seen:
            continue
        try:
            plugin = interface(found, None)
        except Exception:  # noqa: BLE001 - an adapter of somebody else's
            _log.failure("The plugin {plugin!r} of {where} cannot be used as {interface}", plugin=found,
                         where=where, interface=interface.__name__)  # fmt: skip
            continue
        if plugin is not None:
            seen.add(id(found))
            yield plugin


getPlugIns = getPlugins
"""An old name of Twisted's."""


class CachedDropin:
    """What :func:`getCache` tells of a module.  The name is Twisted's, which keeps such things; nothing is kept here.

    :ivar moduleName: the module's dotted name.
    :ivar description: its docstring.
    :ivar plugins: a :class:`CachedPlugin` for each plugin in it.
    """

    def __init__(self, moduleName: str, description: str | None) -> None:
        self.moduleName = moduleName
        self.description = description
        self.plugins: list[CachedPlugin] = []


class CachedPlugin:
    """What :func:`getCache` tells of a plugin.

    :ivar dropin: the :class:`CachedDropin` that it is of.
    :ivar name: the name of the variable that holds it.
    :ivar description: its docstring.
    :ivar provided: the interfaces that it provides.
    """

    def __init__(self, dropin: CachedDropin, name: str, description: str | None, provided: list[Any]) -> None:
        self.dropin = dropin
        self.name = name
        self.description = description
        self.provided = provided
        dropin.plugins.append(self)

    def load(self) -> Any:
        """Return the plugin."""
        return getattr(importlib.import_module(self.dropin.moduleName), self.name)

    def getComponent(self, interface: Any, registry: Any = None, default: Any = None) -> Any:
        """Return the plugin if it provides an interface, else *default*.

        :param interface: the interface.
        :param registry: is not used.
        """
        return self.load() if any(each.isOrExtends(interface) for each in self.provided) else default

    __conform__ = getComponent

    def __repr__(self) -> str:
        provides = ", ".join(each.__name__ for each in self.provided)
        return f"<{type(self).__name__} {self.name!r}/{self.dropin.moduleName!r} (provides {provides!r})>"


def getCache(module: ModuleType) -> dict[str, CachedDropin]:
    """Tell of all drop-ins of a plugin package, whatever interfaces they are for; all are imported.

    :param module: the plugin package.
    :returns: for each of its modules, by the last part of the name, what is in it.  One that cannot be imported is logged,
        and left out.
    """
    found = {}
    for name, dropped in _modules(module.__name__, module):
        dropin = found[name.rpartition(".")[2]] = CachedDropin(name, dropped.__doc__)
        for variable, value in _in_module(dropped):
            CachedPlugin(dropin, variable, value.__doc__, list(providedBy(value)))
    return found


def pluginPackagePaths(name: str) -> list[str]:
    """Find the folders, other than the package itself, that may hold modules of a plugin package.

    A plugin package has this as its ``__init__.py``::

        from torsion.plugin import pluginPackagePaths
        __path__.extend(pluginPackagePaths(__name__))
        __all__ = []

    :param name: the package's dotted name.
    :returns: for each entry of ``sys.path`` the folder of that name, whether it exists or not; but none that has an
        ``__init__.py``: that one is a package in its own right, another version of the same one, say.
    """
    parts = name.split(".")
    folders = [Path(entry).absolute().joinpath(*parts) for entry in sys.path]
    return [str(folder) for folder in folders if not folder.joinpath("__init__.py").exists()]


def _candidates(interface: Any, group: str, package: ModuleType | None) -> Iterator[tuple[Any, str]]:
    """Yield objects that may be plugins for *interface*, each with the name of where it was found."""
    for point in _entry_points(group):
        for_interface, _, _ = point.name.rpartition(".")
        if for_interface and for_interface not in (interface.__name__, interface.__identifier__):
            continue
        where = f"entry point {point.name!r} = {point.value!r}{_distribution(point)}"
        try:
            found = point.load()
        except (Exception, SystemExit):  # noqa: BLE001 - a module of somebody else's, which may do anything
            _log.failure("The plugin of {where} cannot be imported", where=where)
            continue
        if point.attr:
            yield found, where
        else:
            yield from ((each, where) for _, each in _in_module(found))
    for name, module in _modules(group, package):
        yield from ((each, name) for _, each in _in_module(module))


def _modules(group: str, package: ModuleType | None) -> Iterator[tuple[str, ModuleType]]:
    """Yield the modules in a plugin package, each with its name."""
    for name in _drop_ins(group, package):
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit):  # noqa: BLE001 - a module of somebody else's, which may do anything
            _log.failure("The plugin module {where} cannot be imported", where=name)
            continue
        yield name, module


def _entry_points(group: str) -> list[EntryPoint]:
    from importlib.metadata import entry_points

    # A distribution that two entries of sys.path lead to is listed twice.
    return list({(point.name, point.value): point for point in entry_points(group=group)}.values())


def _distribution(point: EntryPoint) -> str:
    return "" if point.dist is None else f" of the distribution {point.dist.name!r}"


def _drop_ins(group: str, package: ModuleType | None) -> list[str]:
    """Return the names of the modules in a plugin package, whose own are by now those on its ``__path__``."""
    importlib.invalidate_caches()  # for those that were dropped in a moment ago
    if package is None:
        try:
            # By name, since declarations of plugins stand above all that they declare.
            package = importlib.import_module(group)
        except ImportError:
            _log.failure("The plugin package {package} cannot be imported", package=group)
            return []
    return [f"{group}.{module.name}" for module in pkgutil.iter_modules(package.__path__)]


def _in_module(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield the plugins in a module, each with its variable's name."""
    for name, value in list(vars(module).items()):
        try:
            is_one = IPlugin(value, None) is not None
        except Exception:  # noqa: BLE001 - what is imported there may refuse to be looked at, as proxies without a context do
            _log.failure("{name} in the plugin module {where} cannot be asked", name=name, where=module.__name__)
            continue
        if is_one:
            yield name, value
