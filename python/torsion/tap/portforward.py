"""``torsion portforward``: a server that passes connections on to another port."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torsion.protocols.portforward import ProxyFactory
from torsion.python.usage import CompleteHostnames, Completer, Completions, UsageError, portCoerce
from torsion.tap.serving import Server, ServerOptions

__all__ = ["Options", "makeService"]


class Options(ServerOptions):
    """Where to listen, and where to connect to."""

    longdesc = (
        "A server that connects to another port for each connection, and passes on what each side says to the other."
    )
    synopsis = "(--listen ENDPOINT | --port PORT) --host HOST --dest_port PORT"
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        ["port", "p", None, "The port to listen on, or the description of an endpoint; the same as --listen."],
        ["host", "h", "localhost", "The host to connect to."],
        ["dest_port", "d", None, "The port to connect to.", portCoerce],
    ]
    compData = Completions(optActions={"host": CompleteHostnames(), "port": Completer(), "dest_port": Completer()})

    def postOptions(self) -> None:
        """Check that there is a place to listen at, and one to connect to.

        :raise torsion.python.usage.UsageError: if there is not, or it cannot be used.
        """
        port = self["port"]
        if port is not None:
            self["listen"].append(f"tcp:{port}" if port.isdecimal() else port)
        if self["dest_port"] is None:
            raise UsageError("say where to connect to: --dest_port PORT, and --host HOST if that is not this machine")
        super().postOptions()


def makeService(options: Options) -> Server:
    """Make the service that *options* ask for."""
    return Server(
        "portforward", options["listen"], ProxyFactory(options["host"], options["dest_port"]), options["drain"]
    )
