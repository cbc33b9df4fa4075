"""From the text of an option to its value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ._errors import OptionValueError, UsageError

if TYPE_CHECKING:
    from ._options import Options

MOST_SHOWN = 10
"""So many of the arguments are shown when there is a wrong number of them: a shell's pattern may have given thousands."""

_VARIADIC = 0x04 | 0x08  # inspect.CO_VARARGS and CO_VARKEYWORDS; to import inspect would cost every start


class CoerceParameter:
    """Stores a parameter's value, made of its text by a function."""

    def __init__(self, options: Options, coerce: Callable[[str], Any]) -> None:
        """Store values in *options*, made by *coerce*, which raises :class:`ValueError` for text that it does not take."""
        self.options = options
        self.coerce = coerce
        self.doc: str = getattr(coerce, "coerceDoc", "")

    def dispatch(self, parameterName: str, value: str | None) -> None:
        """Store the value that *value* stands for.

        :raise UsageError: if there is none, or it is not taken; the error names the option.
        """
        dashes = "-" if len(parameterName) == 1 else "--"
        if value is None:
            raise UsageError(f"option {dashes}{parameterName} requires an argument")
        try:
            self.options.opts[parameterName] = self.coerce(value)
        except ValueError as error:
            raise UsageError(f"option {dashes}{parameterName} does not take {value!r}: {error}") from error


def give(method: Callable[[str | None], object], name: str, value: str | None) -> None:
    """Call the method of the option *name* with its text.

    :raise UsageError: if it raises :class:`ValueError`; the error names the option, and is a :class:`ValueError`, too.
    """
    try:
        method(value)
    except UsageError:
        raise
    except ValueError as error:
        dashes = "-" if len(name) == 1 else "--"
        raise OptionValueError(f"option {dashes}{name} does not take {value!r}: {error}") from error


def wrong_count(method: Callable[..., object], given: Sequence[str]) -> UsageError:
    """Return the error that says how many arguments, besides options, *method* takes, and which were *given*."""
    import inspect

    variadic = (inspect.Parameter.VAR_POSITIONAL,)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = []
    for each in inspect.signature(method).parameters.values():
        if each.kind in variadic:
            names.append(f"[{each.name.upper()} ...]")
        elif each.kind in positional:
            required = each.default is inspect.Parameter.empty
            names.append(each.name.upper() if required else f"[{each.name.upper()}]")
    shown = " ".join(map(repr, given[:MOST_SHOWN])) + (" ..." if len(given) > MOST_SHOWN else "")
    told = f"It takes {' '.join(names) or 'none'} and was given {shown or 'none'}."
    if any(each.startswith("-") and each != "-" for each in given):
        told += " Options stand before the arguments."
    return UsageError(f"Wrong number of arguments. {told}")


def portCoerce(value: str) -> int:
    """Return the number of the port that *value* stands for.

    :raise ValueError: if it is no number from 0 to 65535.
    """
    number = int(value)
    if not 0 <= number <= 65535:
        raise ValueError(f"a port's number is from 0 to 65535, not {number}")
    return number


portCoerce.coerceDoc = "Must be an int between 0 and 65535."  # type: ignore[attr-defined]  # shown in the help, as documented


def flagFunction(method: Callable[..., Any], name: str | None = None) -> bool:
    """Return whether *method* handles a flag, and takes no argument, or a parameter, and takes its text.

    :param method: the bound method.
    :param name: what to call it in the error; by default its own name.
    :raise UsageError: if it takes more than one argument.
    """
    function = getattr(method, "__func__", method)
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & _VARIADIC or hasattr(function, "__wrapped__"):
        import inspect

        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        count = sum(each.kind in positional for each in inspect.signature(method).parameters.values())
    else:
        count = code.co_argcount - (function is not method)
    if count > 1:
        raise UsageError(f"Invalid Option function for {name or function.__name__}")
    return bool(count == 0)
