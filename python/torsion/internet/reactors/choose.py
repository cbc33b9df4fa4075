"""Flavours of reactor by name, and the installation of one as the process's default."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from torsion.internet import _current
from torsion.internet.error import ReactorAlreadyInstalledError
from torsion.internet.reactors.flavours import DEFAULT, FLAVOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["DEFAULT", "FLAVOURS", "VARIABLE", "NoSuchReactor", "available", "install", "installReactor", "install_new"]

_R = TypeVar("_R")

VARIABLE = "TORSION_REACTOR"
"""The environment variable that names the flavour to install where nobody names one."""

# Of the reactor installed last its identity, and where that was done.
_installed: tuple[int, str] | None = None


class NoSuchReactor(KeyError):
    """A flavour of reactor was named that there is not."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""  # a KeyError's own would be in quotes


def available() -> Iterator[tuple[str, str, str | None]]:
    """List the flavours of reactor, torsion's own first, then those of plugins.

    :returns: for each its name, its description, and why it does not work on this computer, or None.
    """
    for flavour in FLAVOURS.values():
        yield flavour.shortName, flavour.description, flavour.why_not()
    from torsion.internet.reactors.installer import installers

    for plugin in installers():
        why_not = getattr(plugin, "why_not", None)
        yield plugin.shortName, plugin.description, None if why_not is None else why_not()


def install(name: str | None = None) -> Any:
    """Make a reactor of the flavour *name* and install it.

    :param name: one of torsion's own flavours (``FLAVOURS``), or a plugin's.  None stands for the one that the environment variable
        ``TORSION_REACTOR`` names, or else ``native``.
    :returns: the reactor.
    :raises NoSuchReactor: a ``KeyError``; if there is no such flavour.
    :raises ImportError: if what the flavour needs is not installed.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is an installed reactor already; it is told
        who installed that, and where.
    """
    origin = ""
    if name is None:
        name = os.environ.get(VARIABLE) or DEFAULT
        origin = f" (the environment variable {VARIABLE} names it)"
    flavour: Any = FLAVOURS.get(name)
    if flavour is not None:
        why_not = flavour.why_not()
        if why_not is not None:
            raise ImportError(f"the reactor {name!r} does not work here{origin}: {why_not}")
        return flavour.install()
    from torsion.internet.reactors.installer import installers

    names = set(FLAVOURS)
    for plugin in installers():
        if plugin.shortName == name:
            plugin.install()
            return _current.installed_reactor()  # a plugin's install() need not return it
        names.add(plugin.shortName)
    raise NoSuchReactor(f"there is no reactor called {name!r}{origin}; there are: {', '.join(sorted(names))}")


def installReactor(reactor: Any) -> None:
    """Make a reactor the process's default one, which ``from torsion.internet import reactor`` gives from now on.

    :param reactor: that reactor.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is one already; it tells who installed that, and
        where.  Install yours before importing anything that imports ``torsion.internet.reactor``.
    """
    global _installed
    _must_be_none(repr(reactor))
    _installed = id(reactor), _caller()
    _current.set_installed(reactor)


def install_new(kind: Callable[..., _R], *args: Any) -> _R:
    """Make a reactor and install it; do not even make it if there is one already.

    :param kind: called with *args* to make it.
    :returns: the reactor.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: as :func:`installReactor`.
    """
    _must_be_none(f"another reactor ({kind.__name__})")
    reactor = kind(*args)
    installReactor(reactor)
    return reactor


def _must_be_none(what: str) -> None:
    present = _current.installed_reactor()
    if present is not None:
        where = _installed[1] if _installed is not None and _installed[0] == id(present) else "by other means"
        raise ReactorAlreadyInstalledError(
            f"cannot install {what}: {present!r} is the process's default reactor already, installed {where}; "
            "install yours before that, and before anything imports torsion.internet.reactor"
        )


def _caller() -> str:
    """Say in whose code this was called for: the innermost frame that is neither torsion's nor the import system's."""
    frame: FrameType | None = sys._getframe(1)
    last = frame
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not (
            module.startswith(("torsion.internet.", "torsion.interop."))
            or module.partition(".")[0] in ("importlib", "zope")
        ):
            last = frame
            break
        frame = frame.f_back
    if last is None:
        return "somewhere"
    code = last.f_code
    function = "" if code.co_name == "<module>" else f", in {code.co_name}"
    return f"at {code.co_filename}:{last.f_lineno}{function}"
