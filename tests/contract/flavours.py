"""The flavours of reactor that the contract is run on, and which of its tests each of them is put to.

A test says what it needs with ``needs(IReactorTCP, ...)``, for itself or, as ``pytestmark``, for its whole file.  It is
then run on every flavour that provides those interfaces, so it may use nothing but the reactor's own methods and what
``harness`` and ``faultkit`` give it.  A test that says nothing may use the operating system and torsion's own engine, and
is run where these are: ``needs(kernel)`` says so in a file that says otherwise of the rest, ``needs(engine)`` that torsion's
engine and its promises will do.

Stock Twisted is the oracle: where it is installed, the tests that need interfaces alone are run on its select reactor as
well, with its own classes in place of torsion's (see ``oracle``).  What differs on purpose says so: ``differs("how")``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest

from torsion.internet.reactors.memory import MemoryReactor
from torsion.internet.reactors.native import NativeReactor

kernel = "the operating system: sockets, files, signals"
engine = "what torsion's engine promises beyond the interfaces"


@dataclass(frozen=True)
class Flavour:
    """One flavour of reactor."""

    name: str
    make: Callable[[], Any]
    """Makes a reactor."""
    has: frozenset[str]
    """Which of ``kernel`` and ``engine`` there is."""
    theirs: bool = False
    """Whether it is not torsion's, so that tests and harness are to be translated."""

    def meets(self, needs: set[Any]) -> bool:
        """Tell whether it has all of *needs*: interfaces, ``kernel`` and ``engine``."""
        return all(each in self.has if isinstance(each, str) else self.provides(each) for each in needs)

    def own(self, module: ModuleType) -> ModuleType:
        """Return *module* of ``contract`` as it is for this flavour."""
        from contract import oracle

        return oracle.module(module.__name__) if self.theirs else module

    def provides(self, interface: Any) -> bool:
        """Tell whether its reactors claim to provide *interface*."""
        from contract.oracle import translated

        wanted = translated(interface) if self.theirs else interface
        return bool(wanted.implementedBy(self.make))


def flavours() -> dict[str, Flavour]:
    """Return those that can be made here."""
    found = [
        Flavour("native", NativeReactor, frozenset((kernel, engine))),
        Flavour("memory", MemoryReactor, frozenset((engine,))),
    ]
    if find_spec("twisted") is not None:
        from twisted.internet.selectreactor import SelectReactor

        found.append(Flavour("twisted", SelectReactor, frozenset(), theirs=True))
    return {each.name: each for each in found}


FLAVOURS = flavours()
"""Each flavour of reactor."""


def needs(*what: Any) -> pytest.MarkDecorator:
    """Say what a test needs: interfaces that the reactor is to provide, ``kernel`` or ``engine``."""
    return pytest.mark.needs.with_args(*what)


def differs(how: str) -> pytest.MarkDecorator:
    """Say how torsion differs from Twisted in what a test is about, on purpose."""
    return pytest.mark.differs.with_args(how)


def put_to(markers: list[pytest.Mark]) -> list[str]:
    """Return on which flavours a test with these *markers* is run; the nearest mark of each kind counts."""
    wanted = next((set(mark.args) for mark in markers if mark.name == "needs"), {kernel})
    different = any(mark.name == "differs" for mark in markers)
    return [name for name, each in FLAVOURS.items() if each.meets(wanted) and not (each.theirs and different)]
