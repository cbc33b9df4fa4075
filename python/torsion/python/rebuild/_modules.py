"""Rebuilding a module: running its source again, and having what there is become what the source says now."""

from __future__ import annotations

import builtins
import gc
import time
from collections.abc import Iterator
from enum import EnumType
from types import CodeType, FunctionType, ModuleType
from typing import Any
from weakref import ref

from zope.interface.interface import InterfaceClass

from torsion.python import _reports, components

from ._classes import check_fields, defined_here, merge_class, merge_definition, remember, same_definition
from ._report import Report, Session
from ._values import merge_value


class RebuildError(Exception):
    """A module that cannot be rebuilt, or an object that cannot become what its class is now."""


_MISSING: Any = object()
_lastRebuild = time.time()
_running: list[ModuleType] = []


def last_rebuild() -> float:
    """Return when a module was rebuilt last, in seconds since the epoch; before that, when this one was imported."""
    return _lastRebuild


def rebuild(module: ModuleType, doLog: bool | int = True) -> Report:
    """Run the source of *module* again, as it is now, and have what there is become what it says.

    Functions and classes stay the same objects and get the new code; so whoever holds a function, a bound method or an
    instance runs it from the next call on. Calls that have begun, coroutines that wait among them, finish on the old code.
    Variables are set anew, as the source says, but for those whose names stand in the module's (or a class's) ``__persistent__``;
    names that the source does not set keep their values.

    :param module: the module; of a package, only itself.
    :param doLog: whether the report is logged.
    :returns: what was done, and what could not be done, with why.
    :raise ImportError: if the source cannot be read, as its file is gone; the error names both.
    :raise RebuildError: if the module has no source, is the main program, or is being rebuilt already.
    :raise SyntaxError: as importing it would raise it. Whatever running it raises goes through as well. In both cases, the
        module, its functions and its classes are as they were before.
    """
    global _lastRebuild
    code = _compiled(module)
    if module in _running:
        raise RebuildError(f"{module.__name__} is being rebuilt already")
    session = Session(module)
    before = dict(module.__dict__)
    session.undoable(lambda: _restore(module, before))
    held = [
        ref(each) for each in gc.get_objects() if type(each) is FunctionType and each.__globals__ is module.__dict__
    ]
    _running.append(module)
    try:
        _run(code, module, before, session)
        _settle(code, before, session)
        _rebase(session)
    except BaseException:
        session.undo()
        raise
    finally:
        _running.remove(module)
    _lastRebuild = time.time()
    check_fields(session)
    # What only the old variables held is not to be told of as being held.
    session.commit()
    before.clear()
    gc.collect()
    _sweep(held, code, session)
    if doLog:
        _reports.note(str(session.report))
    return session.report


def _compiled(module: ModuleType) -> CodeType:
    """Return the code of the module's source as it is now; what was compiled before is not looked at."""
    if not isinstance(module, ModuleType):
        raise TypeError(f"a module is rebuilt, not {module!r}")
    name = module.__name__
    if name == "__main__":
        raise RebuildError("the main program would be run again: move what is to be rebuilt into a module")
    loader: Any = getattr(module.__spec__, "loader", None) or getattr(module, "__loader__", None)
    path = getattr(module, "__file__", None)
    if hasattr(loader, "invalidate_caches"):
        loader.invalidate_caches()
    try:
        source = loader.get_source(name) if hasattr(loader, "get_source") else None
    except (ImportError, OSError) as error:
        why = f"the source of {name} cannot be read from {path}: {error.__cause__ or error}"
        raise ImportError(why, name=name, path=path) from error
    if source is None:
        raise RebuildError(f"{name} has no source that could be run again")
    import linecache

    linecache.checkcache(path)  # tracebacks show the lines as they are now
    if hasattr(loader, "source_to_code"):
        return loader.source_to_code(source, path)  # type: ignore[no-any-return]  # what a loader's documentation says
    return compile(source, path or f"<{name}>", "exec", dont_inherit=True)


def _restore(module: ModuleType, before: dict[str, Any]) -> None:
    for name in module.__dict__.keys() - before.keys():
        del module.__dict__[name]
    module.__dict__.update(before)


def _run(code: CodeType, module: ModuleType, before: dict[str, Any], session: Session) -> None:
    """Run the module's code in its own namespace. Each ``class`` statement gives the class that there is, made new.

    So decorators, registries and subclasses in the module get to know that one, and no other.
    """
    build = builtins.__build_class__

    def rebuilding(function: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        new = build(function, name, *args, **kwargs)
        if getattr(function, "__globals__", None) is not module.__dict__:
            return new  # another thread's, or a module's that this one imports
        # An interface has no qualified name: it is looked for in the module alone.
        old = _found(before, new.__qualname__ if isinstance(new, type) else name)
        if not isinstance(old, type | InterfaceClass) or not defined_here(old, session) or id(old) in session.done:
            return new
        result = merge_definition(old, new, session)
        if result is old:
            session.done[id(old)] = old
        return result

    def remembering(function: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        result = rebuilding(function, name, *args, **kwargs)
        if isinstance(result, type) and result.__module__ == module.__name__ and id(result) not in session.done:
            remember(result, result, session)
        return result

    duplicates = components.ALLOW_DUPLICATES
    builtins.__build_class__ = remembering  # type: ignore[assignment]  # it takes what the other takes
    components.ALLOW_DUPLICATES = True
    try:
        exec(code, module.__dict__)  # noqa: S102 - the module's own source
    finally:
        builtins.__build_class__ = build
        components.ALLOW_DUPLICATES = duplicates


def _found(names: dict[str, Any], qualname: str) -> Any:
    """Return what a dotted name within the module stood for."""
    first, *rest = qualname.split(".")
    found = names.get(first)
    for name in rest:
        found = getattr(found, "__dict__", {}).get(name)
    return found


def _stored(code: CodeType) -> tuple[set[str], bool]:
    """Return the names that a module's code sets, and whether there may be more (``from ... import *``)."""
    import dis

    every = list(dis.get_instructions(code))
    names = {each.argval for each in every if each.opname in ("STORE_NAME", "STORE_GLOBAL")}
    return names, any("IMPORT_STAR" in (each.opname + each.argrepr) for each in every)


def _settle(code: CodeType, before: dict[str, Any], session: Session) -> None:
    """Decide for each variable what stands there from now on."""
    namespace = session.namespace
    stored, starred = _stored(code)
    persistent = frozenset(namespace.get("__persistent__", ()) if "__persistent__" in stored else ())
    for key, old in before.items():
        new = namespace.get(key, _MISSING)
        if new is _MISSING or (key.startswith("__") and key.endswith("__") and not isinstance(old, FunctionType)):
            continue
        if key in persistent:
            namespace[key] = old
            session.report.kept.append(key)
        elif new is not old:
            namespace[key] = _merged(key, old, new, session)
        elif not starred and key not in stored and isinstance(old, FunctionType | type) and defined_here(old, session):
            del namespace[key]
            session.report.removed.append(key)
    session.report.added += [key for key in namespace if key not in before and not key.startswith("__")]


def _merged(key: str, old: Any, new: Any, session: Session) -> Any:
    if not same_definition(old, new, session):
        return merge_value(key, old, new, session)
    result = merge_class(old, new, session)
    if result is new and not isinstance(old, EnumType):
        _give(old, new, session)
    return result


def _give(old: Any, new: Any, session: Session) -> None:
    """Make the objects of a class that could not be updated objects of the new one, where that can be."""
    for each in gc.get_objects():
        if type(each) is old:
            try:
                session.set(each, "__class__", new)
            except TypeError:
                return  # why it cannot be has been noted


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


def _sweep(held: list[ref[FunctionType]], code: CodeType, session: Session) -> None:
    """Update the functions that are held somewhere and have no name in the module: those that functions made."""
    by_name: dict[str, list[CodeType]] = {}
    for each in _codes(code):
        by_name.setdefault(each.co_qualname, []).append(each)
    for reference in held:
        function = reference()
        if function is None or id(function) in session.done:
            continue
        name, found = function.__code__.co_qualname, by_name.get(function.__code__.co_qualname, [])
        if function.__code__.co_filename != code.co_filename:
            continue  # made by exec, as a dataclass's methods are
        if any(name == each or name.startswith(f"{each}.") for each in [*session.left, *session.report.removed]):
            continue  # it fits the objects that its class has; or that it has gone has been told
        if not found:
            session.failed(name, "it is no longer in the source; whoever holds it runs the old code")
        elif len(found) > 1:
            if function.__code__ not in found:
                session.failed(name, "there are several of this name; whoever holds it runs the old code")
        elif found[0].co_freevars != function.__code__.co_freevars:
            session.failed(
                name, "it uses other variables of the function that made it; whoever holds it runs the old code"
            )
        else:
            if found[0] != function.__code__:
                session.updated(name)
            session.set(function, "__code__", found[0])


def _rebase(session: Session) -> None:
    """Have classes of the module derive from those that stay, where they were built on ones that did not."""
    for value in list(session.namespace.values()):
        if not isinstance(value, type):
            continue
        bases = tuple(session.replaced.get(id(base), (base, base))[0] for base in value.__bases__)
        if bases != value.__bases__:
            try:
                session.set_bases(value, bases)
            except TypeError as error:
                session.failed(value.__qualname__, f"it derives from a class that was replaced ({error})")
