"""How grave an event is."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, EnumType

__all__ = ["InvalidLogLevelError", "LogLevel", "OrderedConstant"]


class InvalidLogLevelError(Exception):
    """Something was given as a log level that is none.

    :ivar level: what was given.
    """

    def __init__(self, level: object) -> None:
        super().__init__(str(level))
        self.level = level


class _ListsAll(EnumType):
    def __dir__(cls) -> list[str]:
        # An Enum hides its class methods from dir() and so from whoever completes names.
        return list(type.__dir__(cls))


class OrderedConstant(Enum, metaclass=_ListsAll):
    """Named constants of one family: they are ordered as they are defined, and compare with their own family only.

    Has the parts of ``constantly.NamedConstant`` and ``constantly.Names`` that Twisted's users know.
    """

    # Enum hashes the name, in Python; levels are keys of hot dictionaries.
    __hash__ = object.__hash__

    @classmethod
    def iterconstants(cls) -> Iterator[OrderedConstant]:
        """Iterate over the constants, in order of definition."""
        return iter(cls)

    @classmethod
    def lookupByName(cls, name: str) -> OrderedConstant:
        """Return the constant called *name*.

        :raise ValueError: if there is none.
        """
        try:
            return cls[name]
        except KeyError:
            raise ValueError(name) from None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}={self.name}>"

    __str__ = __repr__

    def __lt__(self, other: object) -> bool:
        return self.value < other.value if isinstance(other, type(self)) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.value <= other.value if isinstance(other, type(self)) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.value > other.value if isinstance(other, type(self)) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.value >= other.value if isinstance(other, type(self)) else NotImplemented


class LogLevel(OrderedConstant):
    """How grave an event is; ``LogLevel.debug < LogLevel.critical``.

    :cvar debug: of use to somebody who works on the code.
    :cvar info: of use to somebody who watches the program run.
    :cvar warn: something is odd, and the program goes on.
    :cvar error: something failed, and the program deals with it.
    :cvar critical: something failed that the program did not foresee.
    """

    debug = 0
    info = 1
    warn = 2
    error = 3
    critical = 4

    @classmethod
    def levelWithName(cls, name: str) -> LogLevel:
        """Return the level called *name*.

        :raise InvalidLogLevelError: if there is none.
        """
        try:
            return cls[name]
        except KeyError:
            raise InvalidLogLevelError(name) from None
