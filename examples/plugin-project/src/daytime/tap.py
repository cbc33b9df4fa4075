"""The sub-command ``torsion daytime``: its options, and the service that it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torsion.application import strports
from torsion.application.service import MultiService
from torsion.python import usage

from daytime.protocol import DaytimeFactory

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Options", "makeService"]


class Options(usage.Options):
    """What can be said after ``torsion daytime``."""

    longdesc = "Tells everybody who connects the time."
    optFlags: ClassVar[Sequence[Sequence[str | None]]] = [["utc", None, "Tell it in UTC, and not as it is here."]]

    def __init__(self) -> None:
        """Set every option to its default."""
        super().__init__()
        self["listen"] = []

    def opt_listen(self, endpoint: str) -> None:
        """Where to listen, such as tcp:1300; may be given several times."""
        self["listen"].append(endpoint)

    def postOptions(self) -> None:
        """Check that there is a place to listen.

        :raise torsion.python.usage.UsageError: if there is none.
        """
        if not self["listen"]:
            raise usage.UsageError("say where to listen: --listen ENDPOINT")


def makeService(options: Options) -> MultiService:
    """Make the service that the options ask for."""
    factory = DaytimeFactory(bool(options["utc"]))
    service = MultiService()
    for endpoint in options["listen"]:
        strports.service(endpoint, factory).setServiceParent(service)
    return service
