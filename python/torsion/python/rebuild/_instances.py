"""Objects and functions that notice that there is something newer."""

from __future__ import annotations

import sys
import time
from types import FunctionType, MethodType
from typing import Any

from ._modules import RebuildError, last_rebuild


def _latest(old: Any) -> Any:
    """Return what stands under the name of *old* in its module now, or *old*."""
    found: Any = sys.modules.get(getattr(old, "__module__", None) or "")
    for name in old.__qualname__.split("."):
        found = getattr(found, name, None)
    return old if found is None else found


def latestClass(oldClass: Any) -> Any:
    """Return the class that has the name of *oldClass* now, made to derive from the latest of its bases.

    It is *oldClass* itself if that is no longer found by its name, or a rebuild has updated it.

    :raise TypeError: if *oldClass* is no class.
    """
    if not isinstance(oldClass, type):
        raise TypeError(f"oldClass must be a class, not {oldClass!r}")
    found = _latest(oldClass)
    if not isinstance(found, type):
        return oldClass
    bases = tuple(latestClass(base) for base in found.__bases__)
    if bases != found.__bases__:
        try:
            found.__bases__ = bases
        except TypeError as error:
            raise RebuildError(
                f"{found.__qualname__} cannot be made to derive from the latest of its bases: {error}"
            ) from error
    return found


def latestFunction(oldFunc: Any) -> Any:
    """Return the function that has the name of *oldFunc* now; itself, if there is none or a rebuild has updated it.

    :raise TypeError: if *oldFunc* is no function.
    """
    if not (callable(oldFunc) and hasattr(oldFunc, "__qualname__")):
        raise TypeError(f"oldFunc must be a function, not {oldFunc!r}")
    found = _latest(oldFunc)
    return found if callable(found) else oldFunc


def updateInstance(self: Any) -> None:
    """Make *self* an object of the latest class of the name of its class.

    A rebuild does not need it: classes stay the same. It is for classes that were defined anew otherwise.

    :raise RebuildError: if objects of the old class cannot become objects of the latest, as their slots differ.
    """
    latest = latestClass(type(self))
    if latest is type(self):
        return
    try:
        self.__class__ = latest
    except TypeError as error:
        raise RebuildError(f"{self!r} cannot become an object of the new {latest.__qualname__}: {error}") from error


class Sensitive:
    """A base for objects that want to know whether anything was rebuilt since they looked last.

    :ivar lastRebuild: when they did, in seconds since the epoch.
    """

    lastRebuild: float = last_rebuild()

    def needRebuildUpdate(self) -> bool:
        """Return whether a module was rebuilt since."""
        return self.lastRebuild < last_rebuild()

    def rebuildUpToDate(self) -> None:
        """Remember that this object is up to date now."""
        self.lastRebuild = time.time()

    def latestVersionOf(self, anObject: Any) -> Any:
        """Return the latest class, function or bound method that *anObject* is the old one of; anything else as it is."""
        if isinstance(anObject, FunctionType):
            return latestFunction(anObject)
        if isinstance(anObject, MethodType):
            if isinstance(anObject.__self__, type):
                return getattr(latestClass(anObject.__self__), anObject.__name__)
            updateInstance(anObject.__self__)
            return getattr(anObject.__self__, anObject.__name__)
        if isinstance(anObject, type):
            return latestClass(anObject)
        return anObject
