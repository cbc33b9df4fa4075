"""Classes that get new attributes and stay what they are."""

from __future__ import annotations

from enum import EnumType
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any
from weakref import WeakKeyDictionary

from zope.interface import implementedBy
from zope.interface.interface import InterfaceClass, Method

from ._functions import content
from ._report import Session
from ._values import merge_value

_OWN = frozenset(["__dict__", "__weakref__", "__abstractmethods__", "_abc_impl", "__slots__", "__module__"])
"""Attributes that belong to the class object itself; a package may have given it its own name."""
_FIXED = frozenset(
    name for name, each in [*vars(type).items(), *vars(object).items()] if hasattr(type(each), "__set__")
) - {
    "__abstractmethods__",
    "__annotate__",
    "__annotations__",
    "__doc__",
    "__module__",
    "__type_params__",
}
"""Names that mean something else when they are set on a class that exists, as ``__class__`` and ``__bases__`` do."""
_DECLARED = frozenset(["__implemented__", "__provides__", "__providedBy__"])
"""Where zope.interface keeps what a class implements; it is told by its functions."""

_MISSING: Any = object()
_bodies: WeakKeyDictionary[Any, frozenset[str]] = WeakKeyDictionary()
"""What stood in the source of each class that was rebuilt before."""


def merge_class(old: Any, new: Any, session: Session, last: bool = True) -> Any:
    """Have *old* be what *new* is, and return the one that is to be used from now on: *old*, if that can be.

    :param last: whether that it cannot be is noted; a class decorator may yet make another class of *new*.
    """
    if old is new:
        return old
    before = dict(vars(old))
    why = _obstacle(old, new) or _set_bases(old, new, session)
    if why and not last:
        return new
    if why and id(old) in session.done:
        why += ", but they have the new methods: a decorator made another class of the one that there was"
    if why:
        session.failed(new.__qualname__, why)
        session.left.append(old.__qualname__)
        session.done[id(old)] = old
        for value in vars(old).values():
            _leave(value, session)
        return new
    # Decorators change it, too, and past this: so it is kept as a whole.
    session.undoable(lambda: _restore(old, before))
    session.replaced[id(new)] = (old, new)
    session.fields.append((old, _fields(old)))
    _point_home(new, old, session)
    _forget(old, new, session)
    _declare_nothing(old, session)
    for name, value in list(vars(new).items()):
        _take(old, new, name, value, session)
    if "__abstractmethods__" in vars(new):
        session.set(old, "__abstractmethods__", new.__abstractmethods__)
    remember(old, new, session)
    return old


def remember(cls: Any, made: Any, session: Session) -> None:
    """Remember what stood in the source of *cls*, which the ``class`` statement has just *made*."""
    before = _bodies.get(cls, frozenset())
    session.undoable(lambda: _bodies.__setitem__(cls, before))
    _bodies[cls] = frozenset(vars(made))


def _restore(cls: Any, before: dict[str, Any]) -> None:
    for name in vars(cls).keys() - before.keys():
        type.__delattr__(cls, name)
    for name, value in before.items():
        if vars(cls).get(name) is not value and name not in _OWN and name not in _FIXED:
            type.__setattr__(cls, name, value)


def _take(old: Any, new: Any, name: str, value: Any, session: Session) -> None:
    if name in _OWN or name in _DECLARED or isinstance(value, MemberDescriptorType | GetSetDescriptorType):
        return
    if name in _persistent(new) and name in vars(old):
        session.report.kept.append(f"{new.__qualname__}.{name}")
        return
    if isinstance(old, EnumType) and not _has_code_of(value, session):
        return  # of an enumeration, only methods: the rest makes its members what they are
    before = vars(old).get(name, _MISSING)
    full = f"{new.__qualname__}.{name}"
    if same_definition(before, value, session):
        taken = merge_class(before, value, session)
    else:
        taken = value if before is _MISSING else merge_value(full, before, value, session)
    if name in _FIXED:
        if before is _MISSING or not functions_in(before):
            session.failed(full, "Python cannot set it on a class that exists")
    elif taken is not before:
        if name.startswith("__") and name.endswith("__"):
            pass  # a docstring, a line number
        elif before is _MISSING:
            session.report.added.append(full)
        else:
            session.compare(full, before, taken)
        session.set(old, name, taken)
        told = getattr(type(taken), "__set_name__", None)
        if told is not None:
            told(taken, old, name)


def same_definition(old: Any, new: Any, session: Session) -> bool:
    """Return whether the two are classes of one name that the module defines."""
    if not (isinstance(old, type) and isinstance(new, type)):
        return False
    return old.__qualname__ == new.__qualname__ and defined_here(old, session) and defined_here(new, session)


def defined_here(value: Any, session: Session) -> bool:
    """Return whether *value* is a function, class or interface that the module defines.

    A package may have given it its own name, so that it says that it is from there.
    """
    if isinstance(value, FunctionType | type | InterfaceClass) and value.__module__ == session.module.__name__:
        return True
    if isinstance(value, FunctionType):
        return value.__globals__ is session.namespace
    return isinstance(value, type) and any(_has_code_of(each, session) for each in vars(value).values())


def _persistent(cls: Any) -> frozenset[str]:
    return frozenset(vars(cls).get("__persistent__", ()))


def _layout(cls: Any) -> tuple[Any, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return (
        tuple(sorted([slots] if isinstance(slots, str) else slots)),
        cls.__basicsize__,
        cls.__itemsize__,
        cls.__dictoffset__,
        cls.__weakrefoffset__,
    )


def _obstacle(old: Any, new: Any) -> str:
    """Return why *old* cannot become what *new* is, or nothing."""
    if type(old) is not type(new):
        return f"its metaclass was {type(old).__qualname__} and is {type(new).__qualname__}; objects made before stay what they were"
    if old in new.__mro__:
        return "it is defined twice, the second time with the first as a base"
    if isinstance(old, EnumType) and _members(old) != _members(new):
        return "an enumeration's members cannot be changed; those that are held elsewhere are of the old class"
    before, after = _layout(old)[0], _layout(new)[0]
    if before != after:
        return (
            f"its slots were {', '.join(before) or 'none'} and are {', '.join(after) or 'none'}; "
            "objects made before stay what they were"
        )
    if _kind(old) != _kind(new):
        return "its objects have another layout in memory; those made before stay what they were"
    return ""


def _kind(cls: Any) -> tuple[bool, ...]:
    """Return whether a class has slots, and whether its objects have room for other attributes and for weak references."""
    return "__slots__" in vars(cls), bool(cls.__dictoffset__), bool(cls.__weakrefoffset__)


def _members(cls: Any) -> dict[str, Any]:
    return {name: member.value for name, member in cls.__members__.items()}


def _set_bases(old: Any, new: Any, session: Session) -> str:
    """Give *old* the bases of *new*; return why that cannot be, or nothing."""
    bases = tuple(session.replaced.get(id(base), (base, base))[0] for base in new.__bases__)
    if bases == old.__bases__:
        return (
            ""
            if _layout(old) == _layout(new)
            else "its objects have another layout in memory; those made before stay what they were"
        )
    try:
        session.set_bases(old, bases)
    except TypeError as error:
        return (
            f"Python cannot change its bases ({error}); objects made before are given the new class where that can be"
        )
    return ""


def _fields(cls: Any) -> tuple[str, ...]:
    return tuple(vars(cls).get("_fields") or vars(cls).get("__dataclass_fields__") or ())


def check_fields(session: Session) -> None:
    """Note what objects made before lack, of the classes whose objects have fields."""
    for cls, before in session.fields:
        lacking = [name for name in _fields(cls) if name not in before]
        if "_fields" in vars(cls):
            if before != _fields(cls):
                session.failed(cls.__qualname__, f"objects made before have the fields {', '.join(before)}")
        elif before and (lacking := [name for name in lacking if not hasattr(cls, name)]):
            session.failed(
                cls.__qualname__, f"objects made before lack {', '.join(lacking)}, for which there is no default"
            )


def _point_home(new: Any, old: Any, session: Session) -> None:
    """Have ``super()`` in the new methods mean the class that stays: all of them share one variable."""
    pending = [function for value in vars(new).values() for function in functions_in(value)]
    seen: set[int] = set()
    while pending:
        function = pending.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
            held = content(cell)
            if variable == "__class__" and held is new:
                session.set(cell, "cell_contents", old)
            elif isinstance(held, FunctionType):  # a decorator's wrapper
                pending.append(held)


def functions_in(value: Any) -> list[FunctionType]:
    """Return the functions that an attribute of a class consists of."""
    parts = [value, getattr(value, "__func__", None), getattr(value, "func", None), getattr(value, "__wrapped__", None)]
    parts += [value.fget, value.fset, value.fdel] if isinstance(value, property) else []
    return [each for each in parts if isinstance(each, FunctionType)]


def _has_code_of(value: Any, session: Session) -> bool:
    return any(function.__globals__ is session.namespace for function in functions_in(value))


def _leave(value: Any, session: Session) -> None:
    """Leave the methods of a class that cannot be updated as they are: they fit its objects."""
    for function in functions_in(value):
        session.done[id(function)] = function


def _forget(old: Any, new: Any, session: Session) -> None:
    """Remove what the source no longer has: what it is known to have had, methods, and what class decorators made."""
    known = _bodies.get(old, frozenset()) | frozenset(vars(old).get("__annotations__", ()))
    enumeration = isinstance(old, EnumType)
    for name, value in list(vars(old).items()):
        if name in vars(new) or name in _OWN or name in _DECLARED or name in _FIXED or enumeration:
            continue
        if isinstance(value, MemberDescriptorType | GetSetDescriptorType):
            continue
        special = name.startswith("__") and name.endswith("__")
        method = _has_code_of(value, session)
        if not (special or method or name in known):
            continue  # set from elsewhere, while the program ran
        session.delete(old, name)
        if method and not special:
            session.report.removed.append(f"{new.__qualname__}.{name}")
        _leave(value, session)


def _declare_nothing(old: Any, session: Session) -> None:
    """Forget which interfaces the source declared; its decorators are about to declare them anew."""
    specification: Any = vars(old).get("__implemented__")
    if specification is None or not hasattr(specification, "declared"):
        return
    declared, bases = specification.declared, specification.__bases__

    def undo() -> None:
        specification.declared = declared
        specification.__bases__ = bases

    session.undoable(undo)
    specification.declared = ()
    implemented: Any = implementedBy
    specification.__bases__ = tuple(implemented(base) for base in old.__bases__)


def merge_interface(old: Any, new: Any, session: Session) -> Any:
    """Have the interface *old* be what *new* is; adapters, and whoever implements it, go on as they are."""
    attribute = "_InterfaceClass__attrs"  # there is no public way to exchange what an interface consists of
    if _described(old) == _described(new):
        return old
    if not (hasattr(old, attribute) and hasattr(new, attribute)):
        session.failed(new.__name__, "zope.interface does not let an interface be changed; it goes on as it was")
        return old
    before = getattr(old, attribute)
    session.undoable(lambda: setattr(old, attribute, before))
    setattr(old, attribute, getattr(new, attribute))
    for each in getattr(new, attribute).values():
        each.interface = old
    session.set(old, "__doc__", new.__doc__)
    bases = tuple(session.replaced.get(id(base), (base, base))[0] for base in new.__bases__)
    if bases != old.__bases__:
        session.set(old, "__bases__", bases)
    session.replaced[id(new)] = (old, new)
    session.updated(new.__name__)
    return old


def _described(interface: Any) -> Any:
    every: dict[str, Any] = {
        name: (type(each), each.__doc__, _signature(each)) for name, each in interface.namesAndDescriptions()
    }
    return every, interface.__doc__, interface.__bases__


def _signature(attribute: Any) -> Any:
    method: Any = attribute if isinstance(attribute, Method) else None
    return method and method.getSignatureString()


def merge_definition(old: Any, new: Any, session: Session) -> Any:
    """Return the class, or the interface, that a ``class`` statement is to give, where *old* is what it gave before."""
    if isinstance(old, InterfaceClass) and isinstance(new, InterfaceClass):
        return merge_interface(old, new, session)
    if isinstance(old, type) and isinstance(new, type):
        return merge_class(old, new, session, last=False)
    return new
