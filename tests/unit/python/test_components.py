"""Adapters and components."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import Attribute, Interface, implementer
from zope.interface.adapter import AdapterRegistry

from torsion.python import components
from torsion.python.components import (
    Adapter,
    CannotAdapt,
    Componentized,
    ReprableComponentized,
    getAdapterFactory,
    proxyForInterface,
    registerAdapter,
)


class ISource(Interface):
    pass


class ISubSource(ISource):
    pass


class ITarget(Interface):
    name = Attribute("A name.")

    def go(*steps: int) -> int:
        """Go."""


class IOther(Interface):
    pass


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> AdapterRegistry:
    fresh = AdapterRegistry()
    monkeypatch.setattr(components, "globalRegistry", fresh)
    assert components.getRegistry() is fresh
    return fresh


@implementer(ISource)
class Source:
    pass


@implementer(ITarget)
class Target(Adapter):
    name = "target"

    def go(self, *steps: int) -> int:
        return sum(steps)


def test_what_is_registered_for_an_interface_adapts_its_providers() -> None:
    registerAdapter(Target, ISource, ITarget)
    thing = Source()
    assert ITarget(thing).original is thing
    assert getAdapterFactory(ISource, ITarget, None) is Target
    assert getAdapterFactory(ISubSource, ITarget, None) is Target


def test_what_is_registered_for_a_class_adapts_its_instances() -> None:
    class Plain:
        pass

    registerAdapter(Target, Plain, ITarget, IOther)
    assert isinstance(ITarget(Plain()), Target)
    assert isinstance(IOther(Plain()), Target)
    assert getAdapterFactory(Plain, ITarget, None) is Target


def test_the_nearest_registration_wins() -> None:
    class Nearer(Target):
        pass

    registerAdapter(Target, ISource, ITarget)
    registerAdapter(Nearer, ISubSource, ITarget)

    @implementer(ISubSource)
    class SubSource:
        pass

    assert type(ITarget(SubSource())) is Nearer
    assert type(ITarget(Source())) is Target


def test_what_cannot_be_adapted_is_refused() -> None:
    with pytest.raises(CannotAdapt):
        ITarget(Source())
    assert ITarget(Source(), "default") == "default"
    assert getAdapterFactory(ISource, ITarget, "default") == "default"


def test_a_factory_may_decline() -> None:
    registerAdapter(lambda thing: None, ISource, ITarget)
    with pytest.raises(CannotAdapt):
        ITarget(Source())


def test_registering_twice_is_refused_unless_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    registerAdapter(Target, ISource, ITarget)
    other = lambda thing: "other"
    with pytest.raises(ValueError, match="registered already"):
        registerAdapter(other, ISource, IOther, ITarget)
    assert getAdapterFactory(ISource, ITarget, None) is Target
    assert getAdapterFactory(ISource, IOther, None) is None
    monkeypatch.setattr(components, "ALLOW_DUPLICATES", True)
    registerAdapter(other, ISource, ITarget)
    assert getAdapterFactory(ISource, ITarget, None) is other


def test_registering_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        registerAdapter(Target, ISource)


def test_an_adapter_asks_its_original() -> None:
    class Conforming:
        def __conform__(self, interface: Any) -> object:
            return "conformed" if interface is IOther else None

        def isuper(self, interface: Any, adapter: Any) -> object:
            return (interface, adapter)

    adapter = Target(Conforming())
    assert IOther(adapter) == "conformed"
    assert adapter.isuper(IOther, 1) == (IOther, 1)
    assert IOther(Target(object()), None) is None


# --- Componentized ---------------------------------------------------------------------------------------------------


class Whole(Componentized):
    pass


@implementer(ITarget, IOther)
class Part(Adapter):
    name = "part"


@implementer(IOther)
class Temporary(Adapter):
    temporaryAdapter = True


def test_components_are_remembered() -> None:
    registerAdapter(Target, Whole, ITarget)
    whole = Whole()
    first = ITarget(whole)
    assert ITarget(whole) is first
    assert whole.getComponent(ITarget) is first
    assert whole.removeComponent(first) == [ITarget]
    assert ITarget(whole) is not first


def test_temporary_ones_are_not() -> None:
    registerAdapter(Temporary, Whole, IOther)
    whole = Whole()
    assert whole.getComponent(IOther) is not whole.getComponent(IOther)


def test_a_component_serves_all_interfaces_that_it_is_registered_for() -> None:
    registerAdapter(Part, Whole, ITarget)
    registerAdapter(Part, Whole, IOther)
    whole = Whole()
    part = whole.getComponent(ITarget)
    assert whole.getComponent(IOther) is part
    assert set(whole.removeComponent(part)) == {ITarget, IOther}


def test_components_without_registration() -> None:
    whole = Whole()
    assert whole.getComponent(ITarget) is None
    assert whole.getComponent(ITarget, 3) == 3
    whole.setComponent(ITarget, "set")
    assert whole.getComponent(ITarget) == "set"
    whole.unsetComponent(ITarget)
    assert whole.getComponent(ITarget) is None
    whole.setAdapter(ITarget, Target)
    assert whole.getComponent(ITarget).original is whole
    whole.addAdapter(Part, ignoreClass=True)
    assert type(whole.getComponent(IOther)) is Part
    with pytest.raises(KeyError):
        Whole().unsetComponent(ITarget)


def test_a_factory_that_declines_leaves_the_default() -> None:
    registerAdapter(lambda whole: None, Whole, ITarget)
    assert Whole().getComponent(ITarget, "default") == "default"


def test_one_with_a_repr() -> None:
    whole = ReprableComponentized()
    whole.setComponent(ITarget, "hello")
    assert "ITarget" in repr(whole)
    assert "hello" in repr(whole)


# --- proxies ---------------------------------------------------------------------------------------------------------


def test_a_proxy_passes_on_what_the_interface_names() -> None:
    target = Target(None)
    proxy = proxyForInterface(ITarget)(target)
    assert proxy.original is target
    assert proxy.go(1, 2) == 3
    assert proxy.name == "target"
    proxy.name = "changed"
    assert target.name == "changed"
    del proxy.name
    assert target.name == "target"
    with pytest.raises(AttributeError):
        proxy.temporaryAdapter
    assert ITarget.providedBy(proxy)
    assert type(proxy).__name__ == f"(Proxy for {__name__}.ITarget)"


def test_a_proxy_may_be_subclassed() -> None:
    class Doubled(proxyForInterface(ITarget, "inner")):
        def go(self, *steps: int) -> int:
            return 2 * super().go(*steps) + Doubled.__mro__[1].go(self, 0)

    assert Doubled(Target(None)).go(3) == 6
    assert Doubled(Target(None)).inner.go(3) == 3
