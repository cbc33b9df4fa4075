"""The flavours of reactor that the contract is run on, and which of its tests each of them is put to.

A test says what it needs, by ``@needs("IReactorTCP")`` or, for a whole file, ``pytestmark = needs("IReactorTCP")``; the
nearest word counts.  It is run on every flavour that has it:

* an interface's name: the reactor provides that interface, and the test uses nothing but such reactors' own methods and what
  ``harness`` and ``faultkit`` give it;
* ``kernel``: the operating system's sockets, files and signals are there as well;
* ``engine``: it is torsion's reactor, with what that promises beyond the interfaces;
* ``loop``: the loop is its own, not a foreign one with rules of its own.

A test that says nothing needs ``kernel`` and ``engine``.

Stock Twisted is the oracle.  Where it is installed, tests that do not need torsion's engine are run on its select reactor
as well, with its own classes in place of torsion's (see ``oracle``).  What differs on purpose says so: ``@differs("how")``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest

from torsion.internet import interfaces
from torsion.internet.reactors.hosted.asyncio import AsyncioReactor
from torsion.internet.reactors.memory import MemoryReactor
from torsion.internet.reactors.native import NativeReactor


@dataclass(frozen=True)
class Flavour:
    """One flavour of reactor."""

    name: str
    make: Callable[[], Any]
    """Makes a reactor."""
    has: frozenset[str]
    """Which of ``kernel``, ``engine`` and ``loop``."""
    theirs: bool = False
    """Whether it is Twisted's, so that tests and harness are to be translated."""

    def meets(self, needs: set[str]) -> bool:
        """Tell whether it has all of *needs*."""
        return all(each in self.has or self.provides(each) for each in needs)

    def own(self, module: ModuleType) -> ModuleType:
        """Return what this flavour has in place of *module*, of torsion or of ``contract``."""
        from contract import oracle

        return oracle.module(module.__name__) if self.theirs else module

    def provides(self, name: str) -> bool:
        """Tell whether its reactors claim to provide the interface called *name*."""
        interface = getattr(self.own(interfaces), name, None)
        return interface is not None and bool(interface.implementedBy(self.make))


def has_twisted() -> bool:
    """Return whether Twisted is installed: more of it than the folder for plugins that torsion itself brings along."""
    found = find_spec("twisted")
    return found is not None and found.origin is not None


def flavours() -> dict[str, Flavour]:
    """Return those that can be made here."""
    found = [
        Flavour("native", NativeReactor, frozenset(("kernel", "engine", "loop"))),
        Flavour("hosted-asyncio", AsyncioReactor, frozenset(("kernel", "engine"))),
        Flavour("memory", MemoryReactor, frozenset(("engine", "loop"))),
    ]
    if has_twisted():
        from twisted.internet.selectreactor import SelectReactor

        found.append(Flavour("twisted", SelectReactor, frozenset(("kernel", "loop")), theirs=True))
    return {each.name: each for each in found}


FLAVOURS = flavours()
"""Each flavour of reactor."""


def needs(*what: str) -> pytest.MarkDecorator:
    """Say what a test needs: interfaces of the reactor by name, ``kernel``, ``engine``, ``loop``."""
    return pytest.mark.needs.with_args(*what)


def differs(how: str) -> pytest.MarkDecorator:
    """Say how torsion differs from Twisted in what a test is about, on purpose."""
    return pytest.mark.differs.with_args(how)


def put_to(markers: list[pytest.Mark]) -> list[str]:
    """Return on which flavours a test with these *markers* is run; the nearest mark of each kind counts."""
    wanted = next((set(mark.args) for mark in markers if mark.name == "needs"), {"kernel", "engine"})
    different = any(mark.name == "differs" for mark in markers)
    return [name for name, each in FLAVOURS.items() if each.meets(wanted) and not (each.theirs and different)]
