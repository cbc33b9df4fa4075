"""What the parser raises."""

from __future__ import annotations


class UsageError(Exception):
    """A command line that cannot be used; its text is for whoever typed it.

    Characters that no terminal could show (undecodable bytes of an argument) are written as escapes.
    """

    def __str__(self) -> str:
        return super().__str__().encode("utf-8", "backslashreplace").decode("utf-8")


class OptionValueError(UsageError, ValueError):
    """A method ``opt_...`` raised :class:`ValueError` for the text that it was given.

    With Twisted that error goes through as it is; so this one is a :class:`ValueError` as well.
    """


error = UsageError
