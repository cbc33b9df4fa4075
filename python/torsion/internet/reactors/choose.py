"""Flavours of reactor by name, and the installation of one as the process's default."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from torsion.internet import _current
from torsion.internet.error import ReactorAlreadyInstalledError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT", "FLAVOURS", "NoSuchReactor", "install", "installReactor"]

FLAVOURS: Mapping[str, str] = {"native": "torsion.internet.reactors.native"}
"""The module of each flavour; its ``install()`` makes such a reactor the process's."""

DEFAULT = "native"
"""The flavour that ``from torsion.internet import reactor`` installs if there is none yet."""


class NoSuchReactor(LookupError):
    """A flavour of reactor was named that there is not."""


def install(name: str = DEFAULT) -> Any:
    """Make a reactor of the flavour *name* and install it.

    :returns: the reactor.
    :raises NoSuchReactor: if there is no such flavour.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is an installed reactor already.
    """
    module = FLAVOURS.get(name)
    if module is None:
        raise NoSuchReactor(f"there is no reactor called {name!r}; there are: {', '.join(sorted(FLAVOURS))}")
    return import_module(module).install()


def installReactor(reactor: Any) -> None:
    """Make a reactor the process's default one, which ``from torsion.internet import reactor`` gives from now on.

    :param reactor: that reactor.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is one already.  Install yours before
        importing anything that imports ``torsion.internet.reactor``.
    """
    present = _current.installed_reactor()
    if present is not None:
        raise ReactorAlreadyInstalledError(
            f"cannot install {reactor!r}: {present!r} is the process's default reactor already; "
            "install before anything imports torsion.internet.reactor"
        )
    _current.set_installed(reactor)
