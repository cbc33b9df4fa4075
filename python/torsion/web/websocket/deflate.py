"""How the two ends agree on compression: RFC 7692, permessage-deflate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["accept", "offer", "settle"]

NAME: Final = "permessage-deflate"

WINDOW: Final = 12
"""Bits of the window that we compress with: 4 KiB take 48 KiB of memory for each connection, where 32 KiB take 256."""

_BITS: Final = frozenset(("client_max_window_bits", "server_max_window_bits"))
_SWITCHES: Final = frozenset(("client_no_context_takeover", "server_no_context_takeover"))


def _offers(values: Iterable[bytes]) -> list[tuple[str, dict[str, str | None] | None]]:
    """Read a header: the name of each extension, and its parameters; None for those that say a thing twice."""
    found: list[tuple[str, dict[str, str | None] | None]] = []
    for value in values:
        for each in value.decode("latin-1").split(","):
            name, *parts = (part.strip() for part in each.split(";"))
            parameters: dict[str, str | None] | None = {}
            for part in parts:
                key, mark, text = part.partition("=")
                key = key.strip()
                if parameters is not None:
                    if key in parameters:
                        parameters = None
                    else:
                        parameters[key] = text.strip().strip('"') if mark else None
            if name:
                found.append((name, parameters))
    return found


def _is_known(parameters: dict[str, str | None] | None, offered: bool) -> bool:
    """Return whether all parameters are of RFC 7692, 7.1, with values that can be."""
    if parameters is None:
        return False
    for key, value in parameters.items():
        if key in _SWITCHES:
            if value is not None:
                return False
        elif key in _BITS:
            if value is None:
                if not (offered and key == "client_max_window_bits"):
                    return False
            elif not (value.isascii() and value.isdigit() and value[0] != "0" and 8 <= int(value[:3]) <= 15):
                return False
        else:
            return False
    return True


def _joined(parameters: dict[str, str | None]) -> str:
    return "; ".join([NAME, *(key if value is None else f"{key}={value}" for key, value in parameters.items())])


def accept(values: Iterable[bytes]) -> tuple[Any, bytes] | None:
    """Choose among what a client offers.

    :param values: of its Sec-WebSocket-Extensions.
    :returns: the extension, and the header that says so; None if there is none to choose.
    """
    from wsproto.extensions import PerMessageDeflate

    for name, parameters in _offers(values):
        if name != NAME or parameters is None or not _is_known(parameters, True):
            continue
        extension = PerMessageDeflate(server_max_window_bits=WINDOW)
        agreed = extension.accept(_joined(parameters))
        if agreed is None or agreed is False:
            continue
        said = f"{NAME}; {agreed}" if isinstance(agreed, str) and agreed else NAME
        return extension, said.encode("ascii")
    return None


def offer() -> tuple[Any, bytes]:
    """Return what a client offers: the extension, and the header."""
    from wsproto.extensions import PerMessageDeflate

    extension = PerMessageDeflate(client_max_window_bits=WINDOW)
    said = extension.offer()
    return extension, (f"{NAME}; {said}" if isinstance(said, str) and said else NAME).encode("ascii")


def settle(extension: Any, values: Iterable[bytes]) -> bool:
    """Take a server's answer to what was offered.

    :param extension: what was offered; None for nothing.
    :param values: of its Sec-WebSocket-Extensions.
    :returns: whether there is compression now.
    :raises ValueError: if it answers what was not offered.
    """
    found = _offers(values)
    if not found:
        return False
    name, parameters = found[0]
    if extension is None or len(found) > 1 or name != NAME or parameters is None or not _is_known(parameters, False):
        raise ValueError(f"the server uses extensions that were not offered: {b', '.join(values)!r}")
    extension.finalize(_joined(parameters))
    return True
