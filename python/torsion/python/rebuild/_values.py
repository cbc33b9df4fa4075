"""What stands under one name before and after: which of the two is to stand there from now on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache, partialmethod
from types import FunctionType
from typing import Any

from ._functions import content, merge_function, reaches
from ._report import Session


def merge_value(name: str, old: Any, new: Any, session: Session) -> Any:
    """Return what is to stand under *name*, where *old* stood and the new source has *new*: *old*, if it can be made alike."""
    if old is new or type(old) is not type(new):
        return new
    if isinstance(old, FunctionType):
        if not (reaches(old, session) and reaches(new, session)):
            return new
        if hasattr(new, "registry") and hasattr(new, "dispatch"):
            _merge_generic(old, new)
            return new if not _merged(name, old, new, session) else old
        return merge_function(name, old, new, session)
    # By the type itself: other objects are not asked anything, as they might do anything.
    merge = next((merge for kind, merge in _KINDS.items() if issubclass(type(old), kind)), None)
    if merge is not None:
        return merge(name, old, new, session)
    if callable(old):
        _merge_inner(name, old, new, session)
    else:
        session.compare(name, old, new)
    return new


def _merged(name: str, old: FunctionType, new: FunctionType, session: Session) -> bool:
    """Merge a function whose free variables are all the new one's."""
    for mine, other in zip(old.__closure__ or (), new.__closure__ or (), strict=False):
        session.set(mine, "cell_contents", content(other))
    return merge_function(name, old, new, session) is old


def _merge_generic(old: Any, new: Any) -> None:
    """Keep what other modules have registered with a ``functools.singledispatch`` function."""
    for cls, implementation in old.registry.items():
        if cls not in new.registry:
            new.register(cls, implementation)


def _merge_wrapper(name: str, old: Any, new: Any, session: Session) -> Any:
    inner = merge_value(name, old.__func__, new.__func__, session)
    return old if inner is old.__func__ else type(new)(inner)


def _merge_property(name: str, old: property, new: property, session: Session) -> Any:
    fget, fset, fdel = (
        merge_value(name, getattr(old, part), getattr(new, part), session) for part in ("fget", "fset", "fdel")
    )
    return property(fget, fset, fdel, new.__doc__) if type(old) is property else new


def _merge_held(name: str, old: Any, new: Any, session: Session) -> Any:
    session.set(old, "func", merge_value(name, old.func, new.func, session))
    return old


def _merge_inner(name: str, old: Any, new: Any, session: Session) -> None:
    """Update the function in a wrapper that is no function itself, for whoever holds the old wrapper."""
    try:
        inner, now = old.__wrapped__, new.__wrapped__
    except Exception:  # noqa: BLE001 - it wraps nothing, or does not say
        return
    if isinstance(inner, FunctionType) and isinstance(now, FunctionType):
        merge_value(name, inner, now, session)


def _merge_partial(name: str, old: Any, new: Any, session: Session) -> Any:
    merge_value(name, old.func, new.func, session)
    return new


def _merge_cache(name: str, old: Any, new: Any, session: Session) -> Any:
    """Keep a ``functools.lru_cache`` function; what it remembers was computed by the old code."""
    inner = merge_value(name, old.__wrapped__, new.__wrapped__, session)
    if inner is not old.__wrapped__ or old.cache_parameters() != new.cache_parameters():
        session.failed(
            name, "its cache was made with other parameters; whoever holds the old function goes on with the old cache"
        )
        return new
    old.cache_clear()
    return old


_KINDS: dict[type, Callable[[str, Any, Any, Session], Any]] = {
    staticmethod: _merge_wrapper,
    classmethod: _merge_wrapper,
    property: _merge_property,
    cached_property: _merge_held,
    partialmethod: _merge_partial,
    type(lru_cache(len)): _merge_cache,
}
