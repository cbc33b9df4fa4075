"""``IReactorDaemonize``: a reactor that goes along when its program forks into the background."""

from __future__ import annotations

from zope.interface import classImplements

from torsion.internet.interfaces import IReactorDaemonize
from torsion.internet.reactors.fork import stays
from torsion.internet.reactors.overengine import OverEngine

__all__ = ["ProvidesDaemonize"]


class ProvidesDaemonize(OverEngine):
    """Going along into a process that is forked off, instead of being given up there."""

    def beforeDaemonize(self) -> None:
        """Be told that the process is about to fork and then to end, without another word to the reactor."""
        stays(self, here=False)

    def afterDaemonize(self) -> None:
        """Be told that this is the process that goes on."""
        stays(self, here=True)


classImplements(ProvidesDaemonize, IReactorDaemonize)
