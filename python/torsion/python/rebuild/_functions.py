"""Functions that get new code and stay what they are."""

from __future__ import annotations

from types import CellType, FunctionType
from typing import Any

from ._report import Session

# Attributes of a function that come with its code. Evaluated annotations would need names that may not be there yet, so
# where Python keeps a function that makes them (3.14), that is taken instead.
_TAKEN = (
    "__defaults__",
    "__kwdefaults__",
    "__annotate__" if hasattr(FunctionType, "__annotate__") else "__annotations__",
    "__doc__",
    "__name__",
    "__qualname__",
    "__type_params__",
)
_VALUES = (int, float, complex, str, bytes, tuple, frozenset, type, type(None), range)


def reaches(value: Any, session: Session, depth: int = 8) -> bool:
    """Return whether the function *value* is the module's, or wraps one that is."""
    if not isinstance(value, FunctionType) or depth == 0:
        return False
    if value.__globals__ is session.namespace:
        return True
    inner = [getattr(value, "__wrapped__", None), *(content(cell) for cell in value.__closure__ or ())]
    return any(reaches(each, session, depth - 1) for each in inner)


def content(cell: CellType) -> Any:
    """Return what a free variable holds, or ``None`` while it holds nothing."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def merge_function(name: str, old: FunctionType, new: FunctionType, session: Session) -> FunctionType:
    """Have *old* be what *new* is, and return the one that is to be used from now on: *old*, if that can be.

    Its free variables stay: functions in them are updated likewise, and only what cannot be changed itself, as a number, is
    taken from *new*. A function with other free variables than before passes its calls on to *new*.
    """
    if old is new:
        return old
    if id(new) in session.results:  # it has two names
        result: FunctionType = session.results[id(new)][1]
        if id(old) not in session.done:
            session.done[id(old)] = old
            forward(old, result, session)
        return result
    session.done[id(old)] = old
    session.results[id(new)] = (new, old)
    before, after = old.__code__, new.__code__
    alike = before.co_freevars == after.co_freevars and old.__globals__ is new.__globals__
    if before != after or old.__defaults__ != new.__defaults__ or old.__kwdefaults__ != new.__kwdefaults__:
        session.updated(name)
    if not alike:
        forward(old, new, session)
        session.results[id(new)] = (new, new)
        return new
    for variable, mine, other in zip(before.co_freevars, old.__closure__ or (), new.__closure__ or (), strict=True):
        if variable != "__class__":  # the class that the method is in, and that stays
            _merge_cell(name, mine, other, session)
    session.set(old, "__code__", after)
    for attribute in _TAKEN:
        if hasattr(new, attribute):
            session.set(old, attribute, getattr(new, attribute))
    merged = {**vars(old), **vars(new)}
    wrapped = vars(old).get("__wrapped__")
    if isinstance(wrapped, FunctionType) and isinstance(vars(new).get("__wrapped__"), FunctionType):
        merged["__wrapped__"] = merge_function(name, wrapped, vars(new)["__wrapped__"], session)
    session.set(old, "__dict__", merged)
    return old


def _merge_cell(name: str, mine: CellType, other: CellType, session: Session) -> None:
    old, new = content(mine), content(other)
    if old is new:
        return
    if isinstance(old, FunctionType) and isinstance(new, FunctionType):
        taken: Any = merge_function(name, old, new, session)
    elif isinstance(new, _VALUES):
        taken = session.replaced.get(id(new), (new, new))[0]
    else:
        return  # a cache, a lock, a count: what the function has learned since
    if taken is not old:
        session.set(mine, "cell_contents", taken)


def _passes_on(*args: Any, _rebuilt_as: Any, **kwargs: Any) -> Any:
    return _rebuilt_as(*args, **kwargs)


def forward(old: FunctionType, new: FunctionType, session: Session) -> None:
    """Have *old* call *new*: whoever holds it, as a bound method perhaps, runs the new code."""
    # CPython demands as many free variables as there were.
    code = _passes_on.__code__.replace(co_freevars=old.__code__.co_freevars, co_name=new.__name__)
    session.set(old, "__code__", code)
    session.set(old, "__defaults__", None)
    session.set(old, "__kwdefaults__", {"_rebuilt_as": new})
    session.set(old, "__wrapped__", new)
