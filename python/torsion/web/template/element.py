"""Parts of pages that are objects: a template, and methods that fill it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from zope.interface import implementer

from torsion.web.error import MissingRenderMethod, MissingTemplateLoader, UnexposedMethodError
from torsion.web.iweb import IRenderable, ITemplateLoader

from .stan import Flattenable

__all__ = ["Element", "Expose", "renderer"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_NO_DEFAULT: Final = object()


class Expose:
    """Marks methods as meant for something, such as for templates: nothing else can be called by what a template says."""

    def __call__(self, f: _Function, /, *funcObjs: Callable[..., Any]) -> _Function:
        """Mark these functions; a decorator.

        :returns: the first.
        """
        for function in (f, *funcObjs):
            marks = vars(function).get("exposedThrough", ())
            function.exposedThrough = (*marks, self)  # type: ignore[attr-defined]  # any function takes attributes
        return f

    def get(self, instance: object, methodName: str, default: Any = _NO_DEFAULT) -> Any:
        """Return the method of *instance* that has this name, if it is marked.

        :param default: what to return if it is not marked, or is not there.
        :raises UnexposedMethodError: if there is neither.
        """
        method = getattr(instance, methodName, None)
        if self in getattr(method, "exposedThrough", ()):
            return method
        if default is _NO_DEFAULT:
            raise UnexposedMethodError(self, methodName)
        return default


renderer: Final = Expose()
"""Marks a method of an :class:`Element` as one that its template may name: ``@renderer``.

The method is called with the request and the tag that names it, a copy which it may change, and returns what is to stand there:
anything that can be flattened, a Deferred as well; it may be ``async def``.
"""


@implementer(IRenderable)
class Element:
    """A part of a page: a template, and the methods that fill it.

    :cvar loader: what has the template: an :class:`XMLFile`, say; None if neither the class nor the object has one.
    """

    loader: ITemplateLoader | None = None

    def __init__(self, loader: ITemplateLoader | None = None) -> None:
        """Make a part of a page.

        :param loader: what has its template; that of the class, if it is not given.
        """
        if loader is not None:
            self.loader = loader

    def lookupRenderMethod(self, name: str) -> Callable[..., Flattenable]:
        """Return the render method of this name.

        :raises MissingRenderMethod: if there is none that ``@renderer`` marks.
        """
        method: Callable[..., Flattenable] | None = renderer.get(self, name, None)
        if method is None:
            raise MissingRenderMethod(self, name)
        return method

    def render(self, request: Any) -> Flattenable:
        """Return the template.

        :raises MissingTemplateLoader: if there is none.
        """
        loader = self.loader
        if loader is None:
            raise MissingTemplateLoader(self)
        found: Flattenable = loader.load()
        return found
