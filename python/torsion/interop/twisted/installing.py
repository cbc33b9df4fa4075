"""Making torsion's reactor the one of the process."""

from __future__ import annotations

from twisted.internet.main import installReactor

from torsion.interop.twisted.reactor import TorsionReactor

__all__ = ["install"]


def install() -> TorsionReactor:
    """Make a reactor over torsion's engine, and make it ``twisted.internet.reactor``.

    Call this before anything imports that.

    :returns: the reactor.
    :raises twisted.internet.error.ReactorAlreadyInstalledError: if there is one already.
    """
    reactor = TorsionReactor()
    installReactor(reactor)
    return reactor
