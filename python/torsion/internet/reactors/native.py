"""The reactor whose loop is the engine's own."""

from __future__ import annotations

from torsion.internet.reactors.engined import EngineReactor

__all__ = ["NativeReactor", "install"]


class NativeReactor(EngineReactor):
    """torsion's own reactor.  There may be several, each in a thread of its own."""


def install() -> NativeReactor:
    """Make this the process's reactor, ``torsion.internet.reactor``.

    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is one.
    """
    from torsion.internet.reactors.choose import install_new

    return install_new(NativeReactor)
