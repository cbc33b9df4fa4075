"""``torsion inetd``: listens for many services, and starts their programs when they are needed."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.internet._current import current_reactor
from torsion.python.usage import CompleteFiles, Completions, UsageError
from torsion.python.usage import Options as _Options
from torsion.runner.inetdconf import InvalidConfError, UnknownService

if TYPE_CHECKING:
    from torsion.runner.superserver import Inetd

__all__ = ["Options", "makeService", "protocolDict"]

protocolDict: dict[str, int] = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
"""The numbers of the protocols that services may have."""


class Options(_Options):
    """Which services."""

    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        ["rpc", "r", "/etc/rpc", "Not used: services by remote procedure call are not offered."],
        ["file", "f", "/etc/inetd.conf", "The file that says what is to be served; see inetd.conf(5)."],
    ]
    optFlags: ClassVar[Sequence[Sequence[Any]]] = [
        ["nointernal", "i", "Do not offer the services that need no program."]
    ]
    longdesc = (
        "Listens for all services of a file, and starts a program for each connection, with the connection as its input and output. "
        "The services echo, chargen, discard, daytime and time need none. The file is read again on a reload (SIGHUP)."
    )
    compData = Completions(optActions={"file": CompleteFiles("*.conf")})

    def postOptions(self) -> None:
        """Name the file from the root: the process may go to another folder."""
        self["file"] = str(Path(self["file"]).absolute())


def makeService(config: Options) -> Inetd:
    """Make a service that offers what the file of *config* asks for.

    :raise torsion.python.usage.UsageError: if the file cannot be read or understood.
    """
    from torsion.runner.superserver import Inetd

    try:
        return Inetd(current_reactor(), config["file"], internal=not config["nointernal"])
    except (InvalidConfError, UnknownService) as problem:
        raise UsageError(f"{config['file']}: {problem}") from problem
    except OSError as problem:
        hint = "; name the file of services with --file" if problem.filename == config["file"] else ""
        raise UsageError(
            f"cannot read {problem.filename or config['file']}: {problem.strerror or problem}{hint}"
        ) from problem
