"""Twisted's names for flavours of reactor, for those who are used to them."""

from __future__ import annotations

from typing import Any

from torsion.application.reactors import Reactor
from torsion.internet.reactors.flavours import FLAVOURS

__all__ = ["asyncio", "default", "epoll", "gi", "iocp", "kqueue", "poll", "select"]


class _Another(Reactor):
    """Another name of one of torsion's own."""

    def __init__(self, shortName: str, moduleName: str, flavour: str) -> None:
        super().__init__(shortName, moduleName, f"another name of {flavour}")
        self._flavour = flavour

    def why_not(self) -> str | None:
        """Return why the flavour does not work on this computer, or None if it should."""
        return FLAVOURS[self._flavour].why_not()


class _Missing(Reactor):
    """One that Twisted has and torsion has not."""

    def why_not(self) -> str:
        """Return what to take in its place."""
        return "torsion has none; its reactor native uses the best that there is on each system"

    def install(self) -> Any:
        """Do not install it.

        :raises ImportError: in any case.
        """
        raise ImportError(f"the reactor {self.shortName!r} does not work here: {self.why_not()}")


asyncio = _Another("asyncio", "torsion.internet.asyncioreactor", "hosted-asyncio")
default = _Another("default", "torsion.internet.default", "native")
epoll = _Another("epoll", "torsion.internet.epollreactor", "native")
gi = _Another("gi", "torsion.internet.gireactor", "hosted-gtk")
iocp = _Missing("iocp", "torsion.internet.iocpreactor", "Twisted's, by Windows's completion ports")
kqueue = _Missing("kqueue", "torsion.internet.kqreactor", "Twisted's, by BSD's kqueue(2)")
poll = _Another("poll", "torsion.internet.pollreactor", "native")
select = _Another("select", "torsion.internet.selectreactor", "native")
