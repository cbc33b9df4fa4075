"""With which prefix the log events of a connection are shown: that of Twisted's own reactors, at no cost to who does not log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.python import context
from twisted.python.log import ILogContext, callWithLogger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torsion._native import Engine

__all__ = ["call_in_log_context", "call_noted"]


class _LogContext(dict[str, Any]):
    """Twisted's log context, whose ``system`` is the prefix of what the engine is serving when somebody asks.

    Twisted's own reactors make such a context around each call of a transport, which takes longer than the call.
    """

    def __init__(self, outer: Mapping[str, Any], engine: Engine) -> None:
        super().__init__(outer)
        self.engine = engine
        self.selectable: Any = None  # what is served that the engine does not know of
        self.beneath: Any = None  # and what the engine was serving then

    def __getitem__(self, key: str) -> Any:
        if key != "system":
            return super().__getitem__(key)
        served = self.engine.serving()
        if self.selectable is not None and served is self.beneath:
            served = self.selectable
        if served is None:
            return super().__getitem__(key)
        try:
            return served.logPrefix()
        except Exception:  # noqa: BLE001 - who logs something else is not to hear of it
            return type(served).__name__

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of *key*, or *default*."""
        return self[key] if key in self else default  # noqa: SIM401 - that is this method

    def __iter__(self) -> Iterator[str]:  # as this is overridden, copies are made by the methods here
        return super().__iter__()

    def copy(self) -> dict[str, Any]:
        """Return the values as they are now."""
        return {key: self[key] for key in self}

    def items(self) -> Any:
        """Return the keys and values as they are now."""
        return self.copy().items()

    def values(self) -> Any:
        """Return the values as they are now."""
        return self.copy().values()


def call_in_log_context(engine: Engine, function: Callable[..., Any], *args: Any) -> Any:
    """Call *function* where what is logged bears the prefix of what *engine* is serving, and return what it returns."""
    outer = context.get(ILogContext)
    if isinstance(outer, _LogContext) and outer.engine is engine:
        return function(*args)
    return context.call({ILogContext: _LogContext(outer or {"system": "-"}, engine)}, function, *args)


def call_noted(selectable: Any, function: Callable[..., Any], *args: Any) -> None:
    """Call *function* where what is logged bears the prefix of *selectable*, whom the engine does not know."""
    noted = context.get(ILogContext)
    if not isinstance(noted, _LogContext):
        callWithLogger(selectable, function, *args)  # somebody within a context of his own has turned the loop
        return
    before = noted.selectable, noted.beneath
    noted.selectable, noted.beneath = selectable, noted.engine.serving()
    try:
        function(*args)
    finally:
        noted.selectable, noted.beneath = before
