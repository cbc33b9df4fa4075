"""Words for a program's objects, which may refuse to be described, or be described at any length."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import Any

__all__ = ["MAX_TEXT", "address_text", "bounded", "call_text", "class_text"]

MAX_TEXT = 200
"""How long a description may be, in letters; a longer one loses its middle, since names differ at their ends."""

_NESTED = 4
"""How many callables within callables are looked at: a loop's function may be a partial of a method, and so on."""


def bounded(text: object, limit: int = MAX_TEXT) -> str:
    """Return *text* with *limit* letters at most, without halves of letters (surrogates)."""
    whole = str(text)
    if len(whole) > limit:
        half = (limit - 1) // 2
        whole = f"{whole[: limit - half - 1]}…{whole[len(whole) - half :]}"
    return whole.encode("utf-8", "replace").decode("utf-8")


def class_text(thing: object) -> str:
    """Return the dotted name of an object's class."""
    try:
        kind = type(thing)
        return bounded(f"{kind.__module__}.{kind.__qualname__}")
    except Exception:  # noqa: BLE001 - a metaclass may do anything
        return "(nameless)"


def call_text(call: object) -> str:
    """Return the dotted name of a callable: of a function, or of an object's method with the object's class."""
    try:
        return bounded(_named(call, _NESTED))
    except Exception:  # noqa: BLE001 - a program's objects may do anything
        return class_text(call)


def _named(call: Any, depth: int) -> str:
    if depth and isinstance(call, partial):
        return f"partial({_named(call.func, depth - 1)})"
    owner = getattr(call, "__self__", None)
    name = getattr(call, "__qualname__", None)
    inner = getattr(call if name is None else owner, "f", None)
    if depth and callable(inner):  # a LoopingCall, which says little by itself
        return f"{type(call if name is None else owner).__name__}({_named(inner, depth - 1)})"
    if name is None:
        return class_text(call)
    if owner is not None and not isinstance(owner, type | ModuleType) and hasattr(type(owner), "__module__"):
        return f"{type(owner).__module__}.{type(owner).__qualname__}.{call.__name__}"
    module = getattr(call, "__module__", None)
    return f"{module}.{name}" if module else str(name)


def address_text(address: Any) -> str:
    """Return an address as people write it: ``192.0.2.1:80``, ``[2001:db8::1]:80``, a path, ``@name`` for an abstract one."""
    try:
        if address is None:
            return ""
        port = getattr(address, "port", None)
        if port is not None:
            host = getattr(address, "host", None) or address.hostname.decode("ascii", "replace")
            return bounded(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        name = getattr(address, "name", address)
        if isinstance(name, bytes):
            text = name.decode("utf-8", "replace")
            return bounded("@" + text[1:] if text.startswith("\0") else text)
        return bounded("" if name is None and hasattr(address, "name") else name)
    except Exception:  # noqa: BLE001 - addresses of programs' own transports may do anything
        return "(unknown)"
