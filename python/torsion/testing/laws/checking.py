"""What the makers of laws are given, checked at once: a law that was made of something else would fail far from there."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

__all__ = ["check_callable", "check_errors", "check_how", "check_most", "check_strategy", "strategy_of_bytes"]


def check_callable(name: str, given: object) -> None:
    """Refuse what cannot be called.

    :raises TypeError: naming the argument.
    """
    if not callable(given):
        raise TypeError(f"{name} must be callable, not {given!r}")


def check_strategy(name: str, given: object, what: str) -> None:
    """Refuse what is no strategy of hypothesis.

    :param what: what it is to give, for the error.
    :raises TypeError: naming the argument.
    """
    if not isinstance(given, st.SearchStrategy):
        raise TypeError(f"{name} must be a hypothesis strategy of {what}, not {given!r}")


def strategy_of_bytes(name: str, given: Any) -> st.SearchStrategy[bytes]:
    """Return *given*, which raises :class:`TypeError` when it gives something else than bytes.

    :raises TypeError: if it is no strategy.
    """
    check_strategy(name, given, "bytes")

    def checked(value: object) -> bytes:
        if not isinstance(value, bytes):
            raise TypeError(f"{name} must be a hypothesis strategy of bytes: {given!r} gives {value!r}")
        return value

    strategy: st.SearchStrategy[Any] = given
    return strategy.map(checked)


def check_errors(name: str, given: object) -> None:
    """Refuse what is neither a class of errors nor a tuple of such.

    :raises TypeError: naming the argument.
    """
    for each in given if isinstance(given, tuple) else (given,):
        if not (isinstance(each, type) and issubclass(each, BaseException)):
            raise TypeError(f"{name} must be a class of errors, or a tuple of such, not {given!r}")


def check_most(name: str, given: object) -> None:
    """Refuse what is no number of bytes that there may be at most.

    :raises TypeError: if it is no whole number.
    :raises ValueError: if it is less than 1.
    """
    if not isinstance(given, int) or isinstance(given, bool):
        raise TypeError(f"{name} must be a number of bytes, not {given!r}")
    if given < 1:
        raise ValueError(f"{name} must be a number of bytes, 1 or more, not {given!r}")


def check_how(given: object) -> None:
    """Refuse what are no settings of hypothesis.

    :raises TypeError: naming the argument.
    """
    if not isinstance(given, settings):
        raise TypeError(f"how must be hypothesis.settings(...), not {given!r}")
