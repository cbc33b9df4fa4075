"""How much a peer may ask us to keep."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]

MOST_FIELDS = 256
"""The most fields that can be allowed: room for them is on the stack while a head is read."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a message may have beside its body, which is handed on as it comes and never kept.

    :ivar line: the first line, in bytes.  RFC 9112, 3 asks for 8,000 at least; programs make longer ones from forms.
    :ivar head: the head with its first line, in bytes, and trailers by themselves.  What browsers send with many cookies is
        below half of it.
    :ivar fields: how many fields a head may have, and trailers, at most 256.
    :ivar extensions: the extensions of all chunks of a body together, in bytes.  Nobody uses them; they are skipped.
    """

    line: int = 16 * 1024
    head: int = 64 * 1024
    fields: int = 128
    extensions: int = 4 * 1024

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        :raises TypeError: if a limit is no whole number.
        :raises ValueError: if it is less than 1, or *fields* more than 256.
        """
        for name in ("line", "head", "fields", "extensions"):
            value = getattr(self, name)
            if not isinstance(value, int):
                raise TypeError(f"{name} is a whole number, 1 or more, not {value!r}")
            if value < 1:
                raise ValueError(f"{name} is a whole number, 1 or more, not {value!r}")
        if self.fields > MOST_FIELDS:
            raise ValueError(f"fields is at most {MOST_FIELDS}, not {self.fields!r}")
