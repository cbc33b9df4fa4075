"""Flavours of reactor by name, as Twisted has them: to list them, to install one, and to bring one by a plugin."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

import torsion.internet
from torsion.internet._current import installed_reactor
from torsion.internet.reactors.choose import NoSuchReactor
from torsion.internet.reactors.flavours import FLAVOURS
from torsion.internet.reactors.installer import IReactorInstaller
from torsion.plugin import IPlugin, getPlugins
from torsion.python.reflect import namedModule

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["IReactorInstaller", "NoSuchReactor", "Reactor", "getReactorTypes", "installReactor"]


@implementer(IPlugin, IReactorInstaller)
class Reactor:
    """A flavour of reactor that a module installs; as a plugin, it can be chosen by its name.

    :ivar shortName: its name, as users type it.
    :ivar moduleName: the dotted name of the module, which has a function ``install``.
    :ivar description: what it is, in a few words.
    """

    def __init__(self, shortName: str, moduleName: str, description: str) -> None:
        self.shortName = shortName
        self.moduleName = moduleName
        self.description = description

    def why_not(self) -> str | None:
        """Return why the flavour does not work on this computer, or None if it should: its module is there."""
        try:
            found = find_spec(self.moduleName)
        except ImportError as error:
            return str(error)
        return None if found is not None else f"there is no module {self.moduleName}"

    def install(self) -> Any:
        """Make such a reactor the process's.

        :raises ImportError: if its module, or what that needs, is not there.
        """
        return namedModule(self.moduleName).install()


def getReactorTypes() -> Iterator[Any]:
    """List the flavours of reactor.

    :returns: an iterator over torsion's own, then those of plugins; each is an :class:`IReactorInstaller`.
    """
    return chain(FLAVOURS.values(), getPlugins(IReactorInstaller))


def installReactor(shortName: str) -> Any:
    """Make a reactor and install it.

    :param shortName: the flavour's name.
    :returns: the reactor.
    :raises NoSuchReactor: a ``KeyError``; if there is no such flavour.
    :raises ImportError: if it does not work on this computer.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is an installed reactor already.
    """
    names = set()
    for flavour in getReactorTypes():
        names.add(flavour.shortName)
        if flavour.shortName == shortName:
            why_not = getattr(flavour, "why_not", None)
            reason = None if why_not is None else why_not()
            if reason is not None:
                raise ImportError(f"the reactor {shortName!r} does not work here: {reason}")
            flavour.install()
            # What ``from torsion.internet import reactor`` gives now.
            return vars(torsion.internet).get("reactor", installed_reactor())
    raise NoSuchReactor(f"there is no reactor called {shortName!r}; there are: {', '.join(sorted(names))}")
