"""Which reactor is meant when none was given: the one place that knows.

Code that can be handed a reactor should be. What has to find one by itself, such as ``LoopingCall().clock``, asks
:func:`current_reactor`. This module imports nothing of torsion, so that everything may use it.

The installed reactor is the object that ``sys.modules`` holds by the name of ``torsion.internet.reactor``, so that
``from torsion.internet import reactor`` and this module can never disagree.
"""

from __future__ import annotations

import importlib
import sys
from threading import local
from types import ModuleType
from typing import Any

__all__ = ["current_reactor", "enter", "forget", "here", "installed_reactor", "leave", "runs_here", "set_installed"]

_PACKAGE = "torsion.internet"
_NAME = "torsion.internet.reactor"


class _Here(local):
    """The reactors that run in this thread, innermost last: a callback of one may run another."""

    running: tuple[Any, ...] = ()


_here = _Here()

here = _here
"""For a simulation, whose reactors run in one thread by turns: it sets ``running`` for each turn, and sets it back."""


def current_reactor() -> Any:
    """Return the reactor that runs in this thread, else the installed one, else load and return the default one."""
    running = _here.running
    if running:
        return running[-1]
    found = installed_reactor()
    # By name, since this lies below the reactor: the one upward load that the house allows.
    return importlib.import_module(_NAME) if found is None else found


def installed_reactor() -> Any:
    """Return the process's default reactor, or None if none is installed yet."""
    found = sys.modules.get(_NAME)
    return None if isinstance(found, ModuleType) else found  # a module there is the loader, still at work


def set_installed(reactor: Any) -> None:
    """Make *reactor* the process's default one; None leaves the process without.

    Applications call :func:`torsion.internet.main.installReactor`, which refuses to replace one.
    """
    package = sys.modules[_PACKAGE]
    if reactor is None:
        sys.modules.pop(_NAME, None)
        vars(package).pop("reactor", None)
    else:
        sys.modules[_NAME] = reactor
        vars(package)["reactor"] = reactor


def enter(reactor: Any) -> None:
    """Note that *reactor* begins to run in this thread."""
    _here.running += (reactor,)


def leave(reactor: Any) -> None:
    """Note that *reactor* runs no longer in this thread.

    :raises RuntimeError: if it is not the one that was entered last here.
    """
    running = _here.running
    if not running or running[-1] is not reactor:
        raise RuntimeError(
            f"{reactor!r} is not the reactor entered last in this thread; leave in the order of entering"
        )
    _here.running = running[:-1]


def forget(reactor: Any) -> None:
    """Note that *reactor* will never leave this thread in order, as this is another process now."""
    _here.running = tuple(each for each in _here.running if each is not reactor)


def runs_here(reactor: Any) -> bool:
    """Tell whether *reactor* runs in this thread."""
    return any(each is reactor for each in _here.running)
