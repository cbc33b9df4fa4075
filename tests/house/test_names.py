"""Each public name is listed once, documented, and says where it is to be imported from."""

from __future__ import annotations

import importlib
import inspect
import warnings
from importlib.util import find_spec
from types import FunctionType, ModuleType

import pytest
from zope.interface import implementedBy
from zope.interface.interface import InterfaceClass

from house.tree import is_public, module_name, sources

# Modules whose import does something.
NOT_IMPORTED = {"torsion.__main__", "torsion.internet.reactor"}
# Modules that need another package.
NEEDY = {
    "torsion.interop.twisted": "twisted",
    "torsion.logger.syslog": "syslog",
    "torsion.python.syslog": "syslog",
    "torsion.pytest_plugin": "pytest",
    "torsion.testing.laws": "hypothesis",
    "torsion.testing.machine": "hypothesis",
    "torsion.testing.searching": "hypothesis",
    "torsion.testing.strategies": "hypothesis",
}


def can_be_imported(name: str) -> bool:
    """Return whether *name* does nothing when it is imported, and what it needs is there."""
    needed = [package for prefix, package in NEEDY.items() if name == prefix or name.startswith(prefix + ".")]
    return name not in NOT_IMPORTED and all((spec := find_spec(package)) and spec.origin for package in needed)


PUBLIC = [name for name in map(module_name, sources()) if is_public(name) and can_be_imported(name)]


def listed(module: ModuleType) -> dict[str, object]:
    """Return the names that *module* offers, with what they stand for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of names that it still offers
        return {name: getattr(module, name) for name in getattr(module, "__all__", ())}


def own(module: ModuleType) -> dict[str, type | FunctionType]:
    """Return the classes and functions of torsion that *module* offers."""
    return {
        name: each
        for name, each in listed(module).items()
        if isinstance(each, type | FunctionType) and each.__module__.split(".")[0] == "torsion"
    }


def has_own_names(module: ModuleType) -> bool:
    """Return whether *module* defines something that could be offered."""
    return any(
        is_public(name) and getattr(each, "__module__", None) == module.__name__ for name, each in vars(module).items()
    )


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_listed_is_there_and_once(name: str) -> None:
    module = importlib.import_module(name)
    names = getattr(module, "__all__", None)
    if names is None:  # then the package that it is a part of must do the listing
        package = importlib.import_module(name.rpartition(".")[0] or name)
        assert hasattr(package, "__all__") or not has_own_names(module), "no __all__"
    else:
        assert len(listed(module)) == len(names)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_live_in_public_modules(name: str) -> None:
    hidden = {
        key: each.__module__
        for key, each in own(importlib.import_module(name)).items()
        if not is_public(each.__module__)
    }
    assert hidden == {}


def undocumented(cls: type) -> list[str]:
    """Return the public methods of *cls* that neither it, nor a base, nor an interface of its own explains."""
    explained = {name for interface in implementedBy(cls).flattened() for name in interface.names(all=True)}
    return [
        name
        for name, each in vars(cls).items()
        if isinstance(each, FunctionType | property | classmethod | staticmethod)
        and not name.startswith("_")
        and name not in explained
        and not inspect.getdoc(getattr(cls, name))
    ]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented(name: str) -> None:
    module = importlib.import_module(name)
    missing = [] if module.__doc__ else [name]
    for key, each in own(module).items():
        if not inspect.getdoc(each):
            missing.append(key)
        if isinstance(each, type):
            missing += [f"{key}.{method}" for method in undocumented(each)]
    for key, each in listed(module).items():
        if isinstance(each, InterfaceClass):
            missing += [key] if not each.__doc__ else []
            missing += [f"{key}.{method}" for method, made in each.namesAndDescriptions() if not made.__doc__]
    assert missing == []
