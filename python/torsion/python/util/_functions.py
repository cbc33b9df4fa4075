"""Functions that call functions."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def untilConcludes(f: Callable[P, R], *a: P.args, **kw: P.kwargs) -> R:
    """Return what *f* returns; while it fails with ``EINTR``, it is called again."""
    while True:
        try:
            return f(*a, **kw)
        except OSError as error:
            if error.errno != errno.EINTR:
                raise


def mergeFunctionMetadata(f: Callable[..., Any], g: Callable[..., R]) -> Callable[..., R]:
    """Give *g* the name, documentation, module and attributes of *f*, as far as it lets them be set, and return it."""
    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        try:
            setattr(g, name, getattr(f, name))
        except (AttributeError, TypeError):
            # A builtin or an object, which has none or keeps its own.
            pass
    try:
        g.__dict__.update(f.__dict__)
    except AttributeError:
        pass
    return g


def raises(exception: type[BaseException], f: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> bool:
    """Return whether *f* raises *exception*; any other goes through."""
    try:
        f(*args, **kwargs)
    except exception:
        return True
    return False


def runWithWarningsSuppressed(
    suppressedWarnings: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]],
    f: Callable[P, R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """Return what *f* returns, called while warnings are filtered.

    If it returns a Deferred, warnings are filtered only until it has done so.

    :param suppressedWarnings: arguments and keyword arguments for :func:`warnings.filterwarnings`.
    """
    import warnings

    with warnings.catch_warnings():
        for arguments, keywords in suppressedWarnings:
            warnings.filterwarnings(*arguments, **keywords)
        return f(*args, **kwargs)


def spewer(frame: Any, s: str, ignored: object) -> None:  # noqa: ARG001 - what sys.settrace calls it with
    """Write each call and line to standard error; for :func:`sys.settrace`."""
    import sys

    if s == "call":
        owner = frame.f_locals.get("self")
        where = (
            frame.f_code.co_name
            if owner is None
            else f"{type(owner).__qualname__}.{frame.f_code.co_name} of {id(owner):#x}"
        )
        sys.stderr.write(f"method {where} at {frame.f_code.co_filename}:{frame.f_lineno}\n")
    frame.f_trace = spewer
