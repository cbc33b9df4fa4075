"""What stands on a test's method, class or module: ``skip``, ``todo``, ``timeout``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

__all__ = ["Todo", "makeTodo", "marked"]

MISSING = object()


@dataclass
class Todo:
    """That a test is known to fail.

    :ivar reason: why.
    :ivar errors: with which errors; None for any.
    """

    reason: str
    errors: tuple[type[BaseException], ...] | None = None

    def expected(self, problem: BaseException) -> bool:
        """Tell whether *problem* is what the test is known to fail with."""
        return self.errors is None or isinstance(problem, self.errors)


def makeTodo(value: Any) -> Todo:
    """Return what the value of a ``todo`` attribute means: a reason, or a tuple of an error or errors and a reason."""
    if isinstance(value, Todo):
        return value
    if isinstance(value, str):
        return Todo(value)
    errors, reason = value
    if errors is not None and not isinstance(errors, tuple):
        errors = tuple(errors) if hasattr(errors, "__iter__") else (errors,)
    return Todo(reason, errors)


def marked(case: Any, method: Any, name: str) -> Any:
    """Return the attribute *name* of a test's method, of its class or of its module, whichever has it first; else MISSING."""
    module = sys.modules.get(type(case).__module__)
    for place in (method, case, module):
        found = getattr(place, name, MISSING)
        if found is not MISSING and found is not None:
            return found
    return MISSING
