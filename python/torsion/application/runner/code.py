"""Taking on changed code: each changed module is rebuilt in place, after those that it needs."""

from __future__ import annotations

from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from zope.interface.interface import InterfaceClass

from torsion.application.reloading import Trouble
from torsion.application.runner.changes import TORSION, usersModules
from torsion.application.runner.imports import copied, statements
from torsion.application.sourcefile import NAME as APPLICATION

if TYPE_CHECKING:
    from torsion.application.reloading import ReloadReport
    from torsion.application.runner.changes import Change, Changes

__all__ = ["takeOn"]

_MISSING: Any = object()

_LASTING = (int, float, complex, str, bytes, type, FunctionType, ModuleType, InterfaceClass)
"""What a variable of the file of ``-y`` is replaced with: plain values, and what a file defines or imports."""


def takeOn(changes: Changes, report: ReloadReport) -> None:
    """Rebuild the modules that have changed.

    A module that cannot be run stays whole as it was, as do those that need it, so that old code never meets new code that it
    does not fit; both are told of, and tried again at the next reload.

    :param changes: knows what the modules were.
    :param report: is told what was done: ``rebuilt``, ``failed``, ``notUpdated``.
    """
    whole: set[str] = set()
    torsions = 0
    for change in changes.find():
        name = change.module.__name__
        if change.why_not == TORSION:
            torsions += 1
        elif change.why_not:
            report.notUpdated.append(Trouble(name, change.why_not))
        elif hindered := change.needs & whole:
            whole.add(name)
            report.notUpdated.append(Trouble(name, f"it stays as it was, as it uses {', '.join(sorted(hindered))}"))
        elif not _rebuild(change, changes, report):
            whole.add(name)
    if torsions:
        report.notUpdated.append(Trouble("torsion", f"{TORSION}; changed modules: {torsions}"))


def _rebuild(change: Change, changes: Changes, report: ReloadReport) -> bool:
    from torsion.python.rebuild import rebuild

    module = change.module
    name = module.__name__
    before = dict(vars(module))
    state = changes.state(change.path)  # before it is read: what is written meanwhile counts as another change
    try:
        result = rebuild(module, doLog=False)
    except BaseException as problem:  # whatever a module may do while it runs, sys.exit() too
        if isinstance(problem, KeyboardInterrupt):
            raise
        report.failed.append(Trouble(name, f"it stays as it was: {_line(problem)}", _traceback(problem, change.path)))
        return False
    changes.settle(change, state)
    done = [*result.updated, *result.added, *(f"without {each}" for each in result.removed)]
    report.rebuilt[name] = done + _renew_copies(module, before)
    report.notUpdated += [Trouble(f"{name}.{each.name}", each.why) for each in result.notUpdated]
    if name == APPLICATION:
        _keep_application(change, changes, before, report)
    elif "makeService" in result.updated:
        report.notUpdated.append(Trouble(f"{name}.makeService", "the service is made already; a restart makes it anew"))
    return True


def _keep_application(change: Change, changes: Changes, before: dict[str, Any], report: ReloadReport) -> None:
    """Have the variables of the file of ``-y`` be what runs, not what running the file again has made: services and the like.

    Functions and classes are what they are now, and so are numbers, texts and what consists of those.
    """
    names = vars(change.module)
    for name, old in before.items():
        if not name.startswith("__") and name in names and names[name] is not old and not _renewed(names[name]):
            names[name] = old
    now = statements(_source(change.module))
    if now != changes.statements:
        why = (
            "its services are made already; what the file does now, besides its functions and classes, takes a restart"
        )
        report.notUpdated.append(Trouble("application", why))


def _renewed(value: Any) -> bool:
    if isinstance(value, tuple | frozenset):
        return all(_renewed(each) for each in value)
    return value is None or isinstance(value, _LASTING)


def _traceback(problem: BaseException, path: str) -> str:
    """Return the traceback from the module's own source on; how we came there is nobody's business."""
    from traceback import format_exception

    trace = problem.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != path:
        trace = trace.tb_next
    return "".join(format_exception(type(problem), problem, trace))


def _line(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}".rstrip(": ").splitlines()[0]


def _renew_copies(module: ModuleType, before: dict[str, Any]) -> list[str]:
    """Have what other modules took from this one (``from ... import``) be what it is now; return what that was, for the report.

    :param before: what this module's variables were.
    """
    now = vars(module)
    # Functions and classes stayed the same objects, as a rule; these are variables, and classes that had to be replaced.
    old = {id(value): value for name, value in before.items() if name in now and now[name] is not value}
    renewed: list[str] = []
    for other in usersModules():
        if other is module or not any(id(value) in old for value in vars(other).values()):
            continue
        names, all_of_them = copied(_source(other), other, module.__name__)
        if all_of_them:
            names = {name: name for name in now if not name.startswith("_")} | names
        for here, there in names.items():
            if there in before and there in now and vars(other).get(here, _MISSING) is before[there] is not now[there]:
                setattr(other, here, now[there])
                renewed.append(f"{here} in {other.__name__}")
    return renewed


def _source(module: ModuleType) -> bytes:
    try:
        return Path(str(module.__file__)).read_bytes()
    except OSError:
        return b""
