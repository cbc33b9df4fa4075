"""Headers that applications give for their responses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NOT_PASSED_ON", "TOKEN", "checked"]

NOT_PASSED_ON: Final = frozenset([b"transfer-encoding", b"connection", b"keep-alive", b"upgrade"])
"""Headers that tell of the connection, which is the server's."""

TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
"""RFC 9110, 5.6.2, in small letters."""


def checked(headers: Iterable[Any]) -> list[tuple[bytes, bytes]]:
    """Return headers with their names in small letters, without those that tell of the connection.

    :raises ValueError: if a name is no token, or a value is more than a line.
    """
    found = []
    for name, value in headers:
        low = name.lower()
        if b"\n" in value or b"\r" in value or b"\0" in value:
            raise ValueError(f"a header's value must be one line, not {value!r}")
        if TOKEN.fullmatch(low) is None:
            raise ValueError(f"a header's name must be a token, of letters, digits and hyphens, not {name!r}")
        if low not in NOT_PASSED_ON:
            found.append((low, value))
    return found
