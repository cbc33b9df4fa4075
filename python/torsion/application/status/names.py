"""Which names this server answers to.

A page of a stranger can have a browser ask the visitor's own machine, by a name of the stranger's that leads there (DNS
rebinding).  Such a request says that name in its ``Host``; those who really mean this server give its address or its name.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["HostNames"]


class HostNames:
    """The names by which a server may be asked: numeric addresses, ``localhost``, the machine's own name, and what is added."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Allow *names* as well; ``*`` allows all of them."""
        self._names = {"localhost", socket.gethostname().lower(), *(name.lower().rstrip(".") for name in names)}

    def allow(self, host: str | None) -> bool:
        """Tell whether a request for *host* is meant for this server.

        :param host: a name or a numeric address, without a port; None if the client does not say, as no browser does.
        """
        if host is None or "*" in self._names:
            return True
        host = host.rstrip(".")
        if host in self._names or host.endswith(".localhost"):  # RFC 6761, 6.3: these never lead anywhere else
            return True
        try:
            ip_address(host)
        except ValueError:
            return False
        return True
