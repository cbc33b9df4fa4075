"""Where the page of status is to be found: on this machine alone, unless it is said otherwise."""

from __future__ import annotations

import os
import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

from torsion.application.status.describe import address_text
from torsion.internet.endpoints.grammar import EndpointDescriptionError, join, split

if TYPE_CHECKING:
    from torsion.internet.interfaces import IStreamServerEndpoint

__all__ = ["Place", "exposed", "place", "url"]

_LOOPBACK = {"tcp": "127.0.0.1", "ssl": "127.0.0.1", "tcp6": "::1", "tls": "::1"}
_POSITION = {"tcp": 2}
"""Which value without a name is the interface, where one can be; 0 is the type."""


class Place(NamedTuple):
    """Where to listen."""

    description: str
    """As an endpoint's description, or the path of a private UNIX socket."""
    path: str | None
    """That path, or None for an endpoint."""

    def endpoint(self, reactor: Any, replaces: int | None = None) -> IStreamServerEndpoint:
        """Return the endpoint.

        :param replaces: the process whose private socket this one is to take.
        :raises ValueError: if the description cannot be used.
        """
        if self.path is not None:
            from torsion.application.localsocket import PrivateUNIXServerEndpoint

            return PrivateUNIXServerEndpoint(reactor, self.path, replaces)
        from torsion.internet.endpoints import serverFromString

        return serverFromString(reactor, self.description)


def place(description: str) -> Place:
    """Read where the page is to be found.

    :param description: an endpoint, such as ``tcp:9000``, which listens on the loopback interface unless it says
        ``interface=``; ``unix:PATH`` or a path, for a socket that only this user and root may connect to, unless it says ``mode=``.
    :raises ValueError: if it is empty or badly written.
    """
    if not description:
        raise EndpointDescriptionError(description, "is empty; an example is tcp:9000")
    if description.startswith(("/", "./", "../", "~")) or ("/" in description and ":" not in description):
        path = os.path.expanduser(description)  # noqa: PTH111 - a text, as sockets have it
        return Place(path, path)
    parts = split(description)
    kind = parts[0].value if parts[0].name is None else ""
    values = [part.value for part in parts if part.name is None]
    named = {part.name: part.value for part in parts if part.name is not None}
    if kind == "unix" and len(values) <= 2 and set(named) <= {"address"} and sys.platform != "win32":
        path = named.get("address", values[-1] if len(values) == 2 else "")
        if path and not path.startswith("\0"):
            return Place(path, path)
    loopback = _LOOPBACK.get(kind)
    if loopback is not None and "interface" not in named and len(values) <= _POSITION.get(kind, len(values)):
        named["interface"] = loopback
        return Place(join(values, named), None)
    return Place(description, None)


def exposed(address: Any) -> str | None:
    """Return who besides this machine's users can reach a port at *address*, in words; None if nobody can."""
    host = getattr(address, "host", None)
    if host is None:
        return None
    try:
        numeric = ip_address(host.partition("%")[0])
    except ValueError:
        return f"whoever can reach {host}"
    if numeric.is_loopback:
        return None
    return "whoever can reach this machine" if numeric.is_unspecified else f"whoever can reach {host}"


def url(address: Any, secure: bool = False) -> str:
    """Return where a browser finds a port at *address*; for a UNIX socket its path."""
    host = getattr(address, "host", None)
    if host is None:
        return address_text(address)
    text = address_text(address)
    for everywhere, here in (("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:")):
        if text.startswith(everywhere):
            text = here + text[len(everywhere) :]
    return f"{'https' if secure else 'http'}://{text}/"
