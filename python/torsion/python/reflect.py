"""Names to objects and back, and text of objects that may refuse to be shown."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from re import Pattern as RegexType
from types import ModuleType
from typing import Any

from torsion.python._search import findInstances, isLike, isOfType, isSame, modgrep, objgrep

__all__ = [
    "InvalidName",
    "ModuleNotFound",
    "ObjectNotFound",
    "QueueMethod",
    "RegexType",
    "accumulateClassDict",
    "accumulateClassList",
    "accumulateMethods",
    "addMethodNamesToDict",
    "filenameToModuleName",
    "findInstances",
    "fullFuncName",
    "fullyQualifiedName",
    "getClass",
    "isLike",
    "isOfType",
    "isSame",
    "modgrep",
    "namedAny",
    "namedClass",
    "namedModule",
    "namedObject",
    "objgrep",
    "prefixedMethodNames",
    "prefixedMethods",
    "qual",
    "requireModule",
    "safe_repr",
    "safe_str",
]


for _each in (findInstances, isLike, isOfType, isSame, modgrep, objgrep):
    _each.__module__ = __name__  # where they are to be imported from
del _each


class InvalidName(ValueError):
    """A name that does not give a dotted path of Python identifiers."""


class ModuleNotFound(InvalidName):
    """The one module that a name consists of does not exist."""


class ObjectNotFound(InvalidName):
    """No part of a dotted name leads to a module."""


def qual(clazz: type) -> str:
    """Return *clazz*'s module and bare name, as in ``"builtins.ValueError"``."""
    return f"{clazz.__module__}.{clazz.__name__}"


def fullyQualifiedName(obj: Any) -> str:
    """Return the dotted name of a module, class, function or method, enclosing classes included."""
    try:
        name: str = obj.__qualname__
    except AttributeError:
        name = obj.__name__
    # A bound method of an instance has its function's module; a builtin method of an object has None.
    module = getattr(obj, "__module__", None)
    if isinstance(obj, ModuleType) or module is None or (module == "builtins" and not isinstance(obj, type)):
        return name
    return f"{module}.{name}"


def namedModule(name: str) -> ModuleType:
    """Import the module of that dotted name and return it.

    :raise ImportError: if it cannot be imported.
    """
    return import_module(name)


def namedObject(name: str) -> Any:
    """Return the object of that dotted name, which must be a module's direct attribute.

    :raise ImportError: if the module cannot be imported.
    :raise AttributeError: if the module has no such attribute.
    """
    module, _, attribute = name.rpartition(".")
    return getattr(namedModule(module), attribute)


namedClass = namedObject


def requireModule(name: str, default: Any = None) -> Any:
    """Return the module of that dotted name, or *default* if it cannot be imported."""
    try:
        return namedModule(name)
    except ImportError:
        return default


def namedAny(name: str) -> Any:
    """Return the object that the dotted *name* leads to: a module, or anything reachable by attributes from one.

    :raise InvalidName: if *name* is empty or no dotted path of identifiers.
    :raise ModuleNotFound: if *name* is one word and no such module exists.
    :raise ObjectNotFound: if no leading part of *name* is a module.
    :raise AttributeError: if a module was found and the rest of the path was not.
    :raise Exception: whatever the import of an existing module raises.
    """
    if not name:
        raise InvalidName("empty name: give the dotted path of a module or of something in it")
    parts = name.split(".")
    if "" in parts:
        raise InvalidName(f"name must be Python identifiers separated by single dots, not {name!r}")
    for length in range(len(parts), 0, -1):
        found = _importable(".".join(parts[:length]))
        if found is not None:
            for attribute in parts[length:]:
                found = getattr(found, attribute)
            return found
    if len(parts) == 1:
        raise ModuleNotFound(f"No module named {name!r}")
    raise ObjectNotFound(f"{name!r} does not name an object")


def _importable(name: str) -> Any:
    """Return the module *name*, or ``None`` if it does not exist; an error inside an existing module goes through."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name
        # "a.b" missing means that a, or a.b, does not exist.  Any other missing module is one that *name* needs.
        if missing is not None and (name == missing or name.startswith(f"{missing}.")):
            return None
        raise


def filenameToModuleName(fn: str | bytes) -> str:
    """Return the dotted name of the module in the file *fn*, by walking up while there is an ``__init__.py``.

    The file need not exist.
    """
    from os import fsdecode
    from pathlib import Path

    path = Path(fsdecode(fn)).absolute()
    folder = path.parent
    names = [] if path.stem == "__init__" else [path.stem]
    while any((folder / f"__init__.{kind}").exists() for kind in ("py", "pyc")):
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names or [folder.name])


def getClass(obj: Any) -> type:
    """Return the class of *obj*."""
    return type(obj)


def fullFuncName(func: Any) -> str:
    """Return the dotted name of a module's function.

    :raise LookupError: if that name does not lead back to *func*.
    """
    name = f"{func.__module__}.{func.__name__}"
    if namedObject(name) is not func:
        raise LookupError(f"could not find {func!r} as {name}: it is not an attribute of its module")
    return name


class QueueMethod:
    """Stands for a method that is not there yet: calls are put into a list."""

    def __init__(self, name: str, calls: list[tuple[str, tuple[Any, ...]]]) -> None:
        """Put calls into *calls*, each as *name* and the arguments."""
        self.name = name
        self.calls = calls

    def __call__(self, *args: Any) -> None:
        """Remember a call."""
        self.calls.append((self.name, args))


# --- methods by prefix -----------------------------------------------------------------------------------------------


def prefixedMethods(obj: Any, prefix: str = "") -> list[Callable[..., Any]]:
    """Return the bound methods of *obj* whose names start with *prefix*."""
    found: dict[str, Callable[..., Any]] = {}
    accumulateMethods(obj, found, prefix)
    return list(found.values())


def accumulateMethods(
    obj: Any, dict: dict[str, Callable[..., Any]], prefix: str = "", curClass: type | None = None
) -> None:
    """Put *obj*'s bound methods whose names start with *prefix* into *dict*, under the rest of the name.

    :param curClass: the class to start at; ``None`` stands for *obj*'s own.
    """
    for clazz in reversed((curClass or type(obj)).__mro__):
        for name, value in clazz.__dict__.items():
            if name.startswith(prefix) and _is_function(value):
                dict[name[len(prefix) :]] = getattr(obj, name)


def prefixedMethodNames(classObj: type, prefix: str) -> list[str]:
    """Return the names, without *prefix*, of the methods of *classObj* and its bases that start with it."""
    found: dict[str, type] = {}
    addMethodNamesToDict(classObj, found, prefix)
    return list(found)


def addMethodNamesToDict(classObj: type, dict: dict[str, Any], prefix: str, baseClass: type | None = None) -> None:
    """Put the method names of *classObj* and its bases that start with *prefix* into *dict*, each with the value 1.

    :param baseClass: if given, only classes that have it as a direct base (or are it, when it has no bases) count.
    """
    for base in classObj.__bases__:
        addMethodNamesToDict(base, dict, prefix, baseClass)
    if baseClass is None or baseClass in classObj.__bases__:
        for name, value in classObj.__dict__.items():
            if name.startswith(prefix) and _is_function(value):
                dict[name[len(prefix) :]] = 1


def _is_function(value: object) -> bool:
    return type(value).__name__ == "function"


def accumulateClassDict(classObj: type, attr: str, adict: dict[Any, Any], baseClass: type | None = None) -> None:
    """Update *adict* with the dictionary named *attr* of each base, then of *classObj*, so that the nearest wins."""
    for base in classObj.__bases__:
        accumulateClassDict(base, attr, adict)
    if baseClass is None or baseClass in classObj.__bases__:
        adict.update(classObj.__dict__.get(attr, {}))


def accumulateClassList(classObj: type, attr: str, listObj: list[Any], baseClass: type | None = None) -> None:
    """Extend *listObj* with the list named *attr* of each base, then of *classObj*."""
    for base in classObj.__bases__:
        accumulateClassList(base, attr, listObj)
    if baseClass is None or baseClass in classObj.__bases__:
        listObj.extend(classObj.__dict__.get(attr, []))


# --- text that never raises ------------------------------------------------------------------------------------------


def safe_repr(o: Any) -> str:
    """Return ``repr(o)``; where that raises, a text that names the type and shows the error."""
    try:
        return repr(o)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is shown
        return _excuse(o, error, "repr")


def safe_str(o: Any) -> str:
    """Return ``str(o)``, UTF-8 bytes decoded; where that raises, a text that names the type and shows the error."""
    try:
        if isinstance(o, bytes):
            try:
                return o.decode("utf-8")
            except UnicodeDecodeError:
                return str(o)
        return str(o)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is shown
        return _excuse(o, error, "str")


# A metaclass may give its classes a __name__ that raises; this one is the interpreter's own.
_class_name: Callable[[type], str] = type.__dict__["__name__"].__get__


def _excuse(o: Any, error: BaseException, what: str) -> str:
    try:
        import traceback

        shown = "".join(traceback.format_exception(error))
    except BaseException:  # noqa: BLE001 - even the error refuses to be shown, or memory or the stack is used up
        shown = type(error).__name__
    return f"<{_class_name(type(o))} instance at 0x{id(o):x} with {what} error:\n {shown}>"
