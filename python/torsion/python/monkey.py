"""Attributes that are replaced for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

__all__ = ["MonkeyPatcher"]

P = ParamSpec("P")
R = TypeVar("R")


class MonkeyPatcher:
    """Replaces attributes of objects, and puts the old ones back; also as a context manager."""

    def __init__(self, *patches: tuple[Any, str, Any]) -> None:
        """Be ready to replace.

        :param patches: each an object, the name of an attribute, and the value that it is to have.
        """
        self._patches: list[tuple[Any, str, Any]] = []
        self._originals: list[tuple[Any, str, Any]] = []
        for patch in patches:
            self.addPatch(*patch)

    def addPatch(self, obj: Any, name: str, value: Any) -> None:
        """Have the attribute *name* of *obj* be replaced by *value*, from the next :meth:`patch` on."""
        self._patches.append((obj, name, value))

    def patch(self) -> None:
        """Replace the attributes. If one cannot be, those before it are put back.

        :raise AttributeError: if an object has no such attribute.
        """
        done = len(self._originals)
        try:
            for obj, name, value in self._patches:
                self._originals.append((obj, name, getattr(obj, name)))
                setattr(obj, name, value)
        except BaseException:
            self._put_back(done)
            raise

    def restore(self) -> None:
        """Put all attributes back that were replaced, the last first."""
        self._put_back(0)

    def _put_back(self, left: int) -> None:
        while len(self._originals) > left:
            obj, name, value = self._originals.pop()
            setattr(obj, name, value)

    def runWithPatches(self, f: Callable[P, R], *args: P.args, **kw: P.kwargs) -> R:
        """Return what *f* returns, called while the attributes are replaced."""
        with self:
            return f(*args, **kw)

    def __enter__(self) -> None:
        self.patch()

    def __exit__(self, *reason: object) -> None:
        self.restore()
