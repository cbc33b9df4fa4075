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

from zope.interface import Interface

from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoint
    from types import ModuleType

__all__ = ["IPlugin", "getPlugins", "pluginPackagePaths"]

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
            yield from ((each, where) for each in _in_module(found))
    for name in _drop_ins(group, package):
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit):  # noqa: BLE001 - as above
            _log.failure("The plugin module {where} cannot be imported", where=name)
            continue
        yield from ((each, name) for each in _in_module(module))


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


def _in_module(module: ModuleType) -> list[Any]:
    return [value for value in list(vars(module).values()) if IPlugin(value, None) is not None]
