"""The arguments of one endpoint description: by name or by place, as text, numbers and switches."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from torsion.internet.endpoints.grammar import EndpointDescriptionError, Part

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MOST", "Arguments"]

MOST: Final = 2**31 - 1
"""The greatest number that the system's calls take for a queue's length; good enough a limit for seconds, too."""

_YES: Final = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}


class Arguments:
    """The arguments of a description; what is wrong with one is said with the description, and pointed at."""

    def __init__(
        self,
        description: str,
        parts: list[Part],
        order: tuple[str, ...],
        others: tuple[str, ...] = (),
        read: Callable[[Any, str], Any] | None = None,
    ) -> None:
        """Put names to the values that have none.

        :param parts: what the description consists of, its type included.
        :param order: the names of the arguments, in the order of values without a name.
        :param others: the names of arguments that are given by name only.
        :param read: makes an endpoint of a description, for arguments that are one.
        :raises EndpointDescriptionError: if there are too many values, or one has an unknown name.
        """
        self.description = description
        self._known = (*order, *others)
        self._read = read
        self._parts: dict[str, Part] = {}
        for part in parts[1:]:
            if part.name is not None:
                if part.name not in self._known:
                    known = f"known are {', '.join(self._known)}" if self._known else "there are none of this type"
                    raise self._error(f"has an unknown argument {part.name!r}; {known}", part)
                self._parts[part.name] = part
        values = [part for part in parts[1:] if part.name is None]
        if values and not order and values[0].value == "":
            del values[0]  # a colon after a type that takes nothing, as in "stdio:"
        if len(values) > len(order):
            listing = ", ".join(order) or "none"
            raise self._error(
                f"has {len(values)} values without a name, but only {listing} may be so; write NAME=VALUE",
                values[len(order)],
            )
        for name, part in zip(order, values, strict=False):
            if name in self._parts:
                raise self._error(f"gives {name!r} twice, once without its name; leave one out", self._parts[name])
            self._parts[name] = part

    def _error(self, problem: str, part: Part | None) -> EndpointDescriptionError:
        if part is None:  # what is wrong is not there; it would come at the end
            return EndpointDescriptionError(self.description, problem, len(self.description))
        return EndpointDescriptionError(self.description, problem, part.start, part.end)

    def wrong(self, problem: str, name: str | None = None) -> EndpointDescriptionError:
        """Return an error that tells what is wrong, pointing at the argument *name* if it was given."""
        return self._error(problem, None if name is None else self._parts.get(name))

    def has(self, name: str) -> bool:
        """Tell whether the argument *name* was given."""
        return name in self._parts

    def text(self, name: str, default: str | None = None) -> str:
        """Return an argument, or *default*; None means that it has to be given."""
        part = self._parts.get(name)
        value = default if part is None else part.value
        if value is None:
            raise self.wrong(f"lacks its {name}; add {name}=VALUE")
        return value

    def some(self, name: str) -> str:
        """Return an argument that has to be given, and to be more than nothing."""
        value = self.text(name)
        if not value:
            raise self.wrong(f"has no {name} between its colons", name)
        return value

    def number(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """Return an argument as a number from *least* to *most*."""
        if default is not None and name not in self._parts:
            return default
        text = self.text(name)
        try:
            number = int(text)
        except ValueError:
            raise self.wrong(f"has {name} {text!r}, which is no whole number", name) from None
        if not least <= number <= most:
            raise self.wrong(f"has {name} {number}, which is not between {least} and {most}", name)
        return number

    def port(self, least: int = 0) -> int:
        """Return the argument ``port``."""
        return self.number("port", least, 65_535)

    def seconds(self, name: str, default: int) -> float:
        """Return an argument as a number of seconds, whole if it is written so."""
        text = self.text(name, str(default))
        try:
            number = float(text)
        except ValueError:
            raise self.wrong(f"has {name} {text!r}, which is no number of seconds", name) from None
        if not isfinite(number) or not 0 <= number <= MOST:
            raise self.wrong(f"has {name} {text}, which is not between 0 and {MOST} seconds", name)
        return int(number) if number.is_integer() else number

    def mode(self, name: str, default: int) -> int:
        """Return an argument as permissions, which are written in octal digits."""
        text = self.text(name, f"{default:o}")
        try:
            mode = int(text, 8)
        except ValueError:
            raise self.wrong(f"has {name} {text!r}, which is no octal number such as 660", name) from None
        if not 0 <= mode <= 0o7777:
            raise self.wrong(f"has {name} {text}, which is not between 0 and 7777", name)
        return mode

    def switch(self, name: str, default: bool) -> bool:
        """Return an argument that is yes or no, also written 1 or 0."""
        if name not in self._parts:
            return default
        text = self.text(name)
        value = _YES.get(text.lower())
        if value is None:
            raise self.wrong(f"has {name} {text!r}, which is neither yes nor no", name)
        return value

    def nested(self, name: str, reactor: Any) -> Any:
        """Return the endpoint that an argument describes."""
        assert self._read is not None
        try:
            return self._read(reactor, self.some(name))
        except EndpointDescriptionError as error:
            raise self.wrong(f"has a bad {name}: {error}", name) from error
