"""Telling users that something will go, and what to use instead."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any, ParamSpec, Protocol, TypeVar

from torsion.python.reflect import fullyQualifiedName
from torsion.python.versions import Version, getVersionString

__all__ = [
    "DEPRECATION_WARNING_FORMAT",
    "deprecated",
    "deprecatedKeywordParameter",
    "deprecatedModuleAttribute",
    "deprecatedProperty",
    "getDeprecationWarningString",
    "getWarningMethod",
    "setWarningMethod",
    "warnAboutFunction",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Named = TypeVar("_Named", bound=Callable[..., Any])
_Replacement = str | Callable[..., object] | None

DEPRECATION_WARNING_FORMAT = "%(fqpn)s was deprecated in %(version)s"
"""The text of a warning: ``fqpn`` is the dotted name of what is deprecated."""


class _Warn(Protocol):
    def __call__(self, message: str, category: type[Warning], /, stacklevel: int = 1) -> object: ...


_warn: _Warn = warnings.warn


def getWarningMethod() -> _Warn:
    """Return the function that shows warnings; called as ``warnings.warn`` is."""
    return _warn


def setWarningMethod(newMethod: _Warn) -> None:
    """Have warnings shown by *newMethod*, which is called as ``warnings.warn`` is."""
    global _warn
    _warn = newMethod


def _name_of(replacement: str | Callable[..., object]) -> str:
    return replacement if isinstance(replacement, str) else fullyQualifiedName(replacement)


def _with_replacement(text: str, replacement: _Replacement) -> str:
    return text if replacement is None else f"{text}; please use {_name_of(replacement)} instead"


def getDeprecationWarningString(
    callableThing: Callable[..., object],
    version: Version,
    format: str | None = None,
    replacement: _Replacement = None,
) -> str:
    """Return the text of a warning.

    :param callableThing: what is deprecated.
    :param version: since when.
    :param format: the text, with ``%(fqpn)s`` and ``%(version)s``; None stands for
        :data:`DEPRECATION_WARNING_FORMAT`.
    :param replacement: what to use instead, or its dotted name.
    """
    fields = {"fqpn": fullyQualifiedName(callableThing), "version": getVersionString(version)}
    return _with_replacement((format or DEPRECATION_WARNING_FORMAT) % fields, replacement)


def _append_to_docstring(thing: Any, text: str) -> None:
    """Add *text* as the last paragraph of the docstring of *thing*, whose indentation goes."""
    first, *others = (thing.__doc__ or "").expandtabs().split("\n")
    if not others:
        thing.__doc__ = f"{first}\n\n{text}\n" if first else text
        return
    margin = min((len(line) - len(line.lstrip()) for line in others if line.strip()), default=0)
    body = "\n".join([first, *(line[margin:].rstrip() for line in others)]).rstrip()
    thing.__doc__ = f"{body}\n\n{text}\n"


def _deprecation_note(version: Version, replacement: _Replacement) -> str:
    return _with_replacement(f"Deprecated in {getVersionString(version)}", replacement) + "."


def deprecated(version: Version, replacement: _Replacement = None) -> Callable[[_Named], _Named]:
    """Return a decorator for a function, method or class: each call of it warns, and its docstring says so.

    :param version: since when.
    :param replacement: what to use instead, or its dotted name.
    """

    def decorate(thing: _Named) -> _Named:
        text = getDeprecationWarningString(thing, version, None, replacement)
        if isinstance(thing, type):
            deprecated_thing: Any = thing
            initialise = thing.__init__  # type: ignore[misc]  # of this very class

            @wraps(initialise)
            def warn_and_initialise(self: object, *args: Any, **kwargs: Any) -> None:
                if type(self) is thing:
                    _warn(text, DeprecationWarning, stacklevel=2)
                initialise(self, *args, **kwargs)

            deprecated_thing.__init__ = warn_and_initialise
        else:

            @wraps(thing)
            def deprecated_thing(*args: Any, **kwargs: Any) -> Any:
                _warn(text, DeprecationWarning, stacklevel=2)
                return thing(*args, **kwargs)

        _append_to_docstring(deprecated_thing, _deprecation_note(version, replacement))
        deprecated_thing.deprecatedVersion = version
        return deprecated_thing  # type: ignore[no-any-return]  # which has the signature of what it wraps

    return decorate


class _DeprecatedProperty(property):
    """A property that warns when it is read or set."""

    text: str | None = None

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is not None and self.text is not None:
            _warn(self.text, DeprecationWarning, stacklevel=2)
        return super().__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        if self.text is not None:
            _warn(self.text, DeprecationWarning, stacklevel=2)
        super().__set__(instance, value)

    def setter(self, fset: Callable[[Any, Any], None]) -> _DeprecatedProperty:
        made = _DeprecatedProperty(self.fget, fset, self.fdel)
        made.text = self.text
        return made


def deprecatedProperty(version: Version, replacement: _Replacement = None) -> Callable[[Callable[[Any], Any]], Any]:
    """Return a decorator that makes a property of a method, one that warns when it is read or set.

    :param version: since when.
    :param replacement: what to use instead, or its dotted name.
    """

    def decorate(getter: Callable[[Any], Any]) -> _DeprecatedProperty:
        text = getDeprecationWarningString(getter, version, None, replacement)
        _append_to_docstring(getter, _deprecation_note(version, replacement))
        made = _DeprecatedProperty(getter)
        made.text = text
        return made

    return decorate


def deprecatedKeywordParameter(
    version: Version, name: str, replacement: _Replacement = None
) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Return a decorator for a function: a call that gives the parameter *name* warns.

    :param version: since when.
    :param name: the parameter; its position counts too, if it has one.
    :param replacement: what to use instead.
    """

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T]:
        code: Any = function.__code__
        positional = code.co_varnames[: code.co_argcount]
        position = positional.index(name) if name in positional else sys.maxsize
        parameter = _with_replacement(f"parameter was deprecated in {getVersionString(version)}", replacement)
        text = _with_replacement(
            f"The {name!r} parameter to {fullyQualifiedName(function)} was deprecated in {getVersionString(version)}",
            replacement,
        )

        @wraps(function)
        def checked(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            if name in kwargs or len(args) > position:
                _warn(text, DeprecationWarning, stacklevel=2)
            return function(*args, **kwargs)

        _append_to_docstring(checked, f"The {name!r} {parameter}.")
        return checked

    return decorate


_IMPORTER = "<frozen importlib._bootstrap>"


class _DeprecatingModule(ModuleType):
    """A module with attributes that warn when they are looked up."""

    def __getattribute__(self, name: str) -> Any:
        texts = ModuleType.__getattribute__(self, "__dict__").get("__deprecated_attributes__")
        # The import statement first looks whether the name is there, and then takes it.
        if texts is not None and name in texts and sys._getframe(1).f_code.co_filename != _IMPORTER:
            _warn(texts[name], DeprecationWarning, stacklevel=2)
        return ModuleType.__getattribute__(self, name)


def deprecatedModuleAttribute(version: Version, message: str, moduleName: str, name: str) -> None:
    """Have every look-up of the attribute *name* of a module warn; to be called by the module itself, at its end.

    :param version: since when.
    :param message: what else the warning is to say.
    :param moduleName: the dotted name of the module, which is being imported or has been.
    :param name: the attribute.
    """
    module = sys.modules[moduleName]
    if not isinstance(module, _DeprecatingModule):
        module.__class__ = _DeprecatingModule
    texts: dict[str, str] = module.__dict__.setdefault("__deprecated_attributes__", {})
    texts[name] = f"{moduleName}.{name} was deprecated in {getVersionString(version)}: {message}"


def warnAboutFunction(offender: Callable[..., object], warningString: str) -> None:
    """Warn about a function that the user wrote, such as a hook that returns the wrong thing.

    The warning is placed on the function's last line, whoever called it.

    :param offender: the function.
    :param warningString: what is wrong.
    """
    code: Any = offender.__code__
    names = offender.__globals__
    warnings.warn_explicit(
        warningString,
        DeprecationWarning,
        filename=code.co_filename,
        lineno=max(line for _, _, line in code.co_lines() if line is not None),
        module=names.get("__name__", "<unknown>"),
        registry=names.setdefault("__warningregistry__", {}),
    )
