"""Adapters: how an object of one kind serves where another interface is wanted.

After ``registerAdapter(Factory, ISource, ITarget)``, ``ITarget(thing)`` is ``Factory(thing)`` for whatever provides
``ISource`` and not ``ITarget`` itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import classImplements, implementedBy, providedBy
from zope.interface.adapter import AdapterRegistry
from zope.interface.interface import InterfaceClass, adapter_hooks

from torsion.python.reflect import qual

__all__ = [
    "ALLOW_DUPLICATES",
    "Adapter",
    "CannotAdapt",
    "Componentized",
    "ReprableComponentized",
    "getAdapterFactory",
    "getRegistry",
    "globalRegistry",
    "proxyForInterface",
    "registerAdapter",
]

AdapterFactory = Callable[[Any], Any]

CannotAdapt = TypeError
"""What ``ITarget(thing)`` raises if *thing* cannot be adapted."""

ALLOW_DUPLICATES: bool | int = False
"""Whether :func:`registerAdapter` may replace an adapter."""

globalRegistry = AdapterRegistry()
"""The adapters of the process."""


def _lookup(source: Any, target: Any) -> Any:
    # The registry's lookup methods are put on each instance, which type checkers cannot see.
    registry: Any = globalRegistry
    return registry.lookup1(source, target)


def _adapt(interface: InterfaceClass, thing: object) -> Any:
    factory = _lookup(providedBy(thing), interface)
    return None if factory is None else factory(thing)


adapter_hooks.append(_adapt)


def getRegistry() -> AdapterRegistry:
    """Return the registry of the process's adapters."""
    return globalRegistry


def _specification(of: Any) -> Any:
    # Its package has no types of its own.
    return of if isinstance(of, InterfaceClass) else implementedBy(of)  # type: ignore[no-untyped-call]


def registerAdapter(adapterFactory: AdapterFactory, origInterface: Any, *interfaceClasses: Any) -> None:
    """Have *adapterFactory* called to adapt things to interfaces.

    :param adapterFactory: takes the thing, and returns an object that provides the interfaces, or None if it cannot.
    :param origInterface: the interface that the thing provides, or its class.
    :param interfaceClasses: the interfaces it can be adapted to.
    :raise ValueError: if no interface is given, or there is an adapter already and :data:`ALLOW_DUPLICATES` is not set.
    """
    if not interfaceClasses:
        raise ValueError("registerAdapter needs at least one interface to adapt to")
    source = _specification(origInterface)
    for interface in interfaceClasses:
        present = globalRegistry.registered([source], interface)
        if present is not None and not ALLOW_DUPLICATES:
            raise ValueError(f"an adapter from {origInterface} to {interface} is registered already: {present}")
    for interface in interfaceClasses:
        globalRegistry.register([source], interface, "", adapterFactory)


def getAdapterFactory(fromInterface: Any, toInterface: Any, default: Any) -> Any:
    """Return what was registered to adapt *fromInterface*, an interface or a class, to *toInterface*; else *default*."""
    factory = _lookup(_specification(fromInterface), toInterface)
    return default if factory is None else factory


class Adapter:
    """Base of adapters that keep the thing that they adapt, as ``original``.

    An adapter is asked for other interfaces, too: it asks the thing.

    :cvar temporaryAdapter: true if a :class:`Componentized` is not to remember the adapter.
    :cvar multiComponent: true if a :class:`Componentized` is to remember it for all interfaces that it provides.
    """

    temporaryAdapter: bool | int = False
    multiComponent: bool | int = True

    def __init__(self, original: Any) -> None:
        """Adapt *original*."""
        self.original = original

    def __conform__(self, interface: Any) -> Any:
        conform = getattr(self.original, "__conform__", None)
        return None if conform is None else conform(interface)

    def isuper(self, iface: Any, adapter: Any) -> Any:
        """Ask the original the same; see its ``isuper``."""
        return self.original.isuper(iface, adapter)


class Componentized:
    """An object made of components, one for each interface that it is asked for.

    The adapter that ``ITarget(self)`` makes is remembered, and so can have state.
    """

    persistenceVersion = 1

    def __init__(self) -> None:
        self._adapterCache: dict[Any, Any] = {}

    def locateAdapterClass(self, klass: type, interfaceClass: Any, default: Any) -> Any:
        """Return the factory that adapts *klass* to *interfaceClass*, else *default*."""
        return getAdapterFactory(klass, interfaceClass, default)

    def setAdapter(self, interfaceClass: Any, adapterClass: AdapterFactory) -> None:
        """Make an adapter of this object, and remember it for *interfaceClass*."""
        self.setComponent(interfaceClass, adapterClass(self))

    def addAdapter(self, adapterClass: AdapterFactory, ignoreClass: bool | int = False) -> None:
        """Make an adapter of this object, and remember it as :meth:`addComponent` does."""
        self.addComponent(adapterClass(self), ignoreClass)

    def setComponent(self, interfaceClass: Any, component: Any) -> None:
        """Remember *component* for *interfaceClass*."""
        self._adapterCache[interfaceClass] = component

    def addComponent(self, component: Any, ignoreClass: bool | int = False) -> None:
        """Remember *component* for the interfaces that it provides.

        :param ignoreClass: for all of them; else for those that its class is the registered adapter for.
        """
        for interface in providedBy(component):
            if ignoreClass or self.locateAdapterClass(self.__class__, interface, None) == component.__class__:
                self._adapterCache[interface] = component

    def unsetComponent(self, interfaceClass: Any) -> None:
        """Forget the component for *interfaceClass*.

        :raise KeyError: if there is none.
        """
        del self._adapterCache[interfaceClass]

    def removeComponent(self, component: Any) -> list[Any]:
        """Forget *component*; return the interfaces that it was remembered for."""
        interfaces = [interface for interface, known in self._adapterCache.items() if known is component]
        for interface in interfaces:
            del self._adapterCache[interface]
        return interfaces

    def getComponent(self, interface: Any, default: Any = None) -> Any:
        """Return the component for *interface*, made by the registered adapter if need be; else *default*."""
        if interface in self._adapterCache:
            return self._adapterCache[interface]
        factory = self.locateAdapterClass(self.__class__, interface, None)
        component = None if factory is None else factory(self)
        if component is None:
            return default
        if not getattr(component, "temporaryAdapter", False):
            if getattr(component, "multiComponent", False):
                self.addComponent(component)
            self._adapterCache.setdefault(interface, component)
        return component

    def __conform__(self, interface: Any) -> Any:
        return self.getComponent(interface)


class ReprableComponentized(Componentized):
    """A :class:`Componentized` whose ``repr`` shows its components."""

    def __repr__(self) -> str:
        components = {qual(interface): component for interface, component in self._adapterCache.items()}
        return f"<{self.__class__.__name__} with components {components!r}>"


class _ProxyDescriptor:
    """An attribute that is that of another object."""

    def __init__(self, attributeName: str, originalAttribute: str) -> None:
        self.attributeName = attributeName
        self.originalAttribute = originalAttribute

    def __get__(self, proxy: Any, owner: type | None = None) -> Any:
        if proxy is None:
            # From the class: what a subclass calls as its base's method.
            return _proxied_method(self.attributeName, self.originalAttribute)
        return getattr(getattr(proxy, self.originalAttribute), self.attributeName)

    def __set__(self, proxy: Any, value: Any) -> None:
        setattr(getattr(proxy, self.originalAttribute), self.attributeName, value)

    def __delete__(self, proxy: Any) -> None:
        delattr(getattr(proxy, self.originalAttribute), self.attributeName)


def _proxied_method(name: str, originalAttribute: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(getattr(self, originalAttribute), name)(*args, **kwargs)

    method.__name__ = name
    return method


def proxyForInterface(iface: Any, originalAttribute: str = "original") -> Any:
    """Return a class whose instances stand for another object as far as *iface* goes, and provide it.

    A subclass overrides what it wants to be different.

    :param iface: the interface; attributes outside of it are not passed on.
    :param originalAttribute: the attribute of an instance that is the other object, which the class is called with.
    """

    def initialise(self: Any, original: Any) -> None:
        setattr(self, originalAttribute, original)

    body: dict[str, Any] = {name: _ProxyDescriptor(name, originalAttribute) for name in iface.names(all=True)}
    body["__init__"] = initialise
    proxy: Any = type(f"(Proxy for {qual(iface)})", (), body)
    classImplements(proxy, iface)  # type: ignore[misc]  # a class made at run time
    return proxy
