"""Stock Twisted on torsion's engine: unchanged applications, another reactor.

    import torsion.interop.twisted
    torsion.interop.twisted.install()
    from twisted.internet import reactor

or ``twistd --reactor=torsion``.  It needs Twisted, which ``pip install torsion[twisted]`` brings along.

``reactor`` is the reactor · ``defer`` Deferreds of either library in code of the other · ``hosting`` torsion's own reactor in Twisted's
loop · ``pytest`` a plugin.  Importing this loads neither the engine nor Twisted: Twisted does so to list the reactors that there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torsion.interop.twisted.reactor import TorsionReactor

__all__ = ["TorsionReactor", "install"]


def install() -> TorsionReactor:
    """Make a reactor over torsion's engine, and make it ``twisted.internet.reactor``.

    Call this before anything imports that.

    :returns: the reactor.
    :raises twisted.internet.error.ReactorAlreadyInstalledError: if there is one already.
    :raises ModuleNotFoundError: if Twisted is not installed.
    """
    made: TorsionReactor = _module().install()
    return made


def _module() -> Any:
    try:
        from torsion.interop.twisted import reactor
    except ModuleNotFoundError as problem:
        if (problem.name or "").partition(".")[0] != "twisted":
            raise
        raise ModuleNotFoundError(
            "torsion.interop.twisted needs Twisted: pip install torsion[twisted]", name="twisted"
        ) from None
    return reactor


def __getattr__(name: str) -> Any:
    if name == "TorsionReactor":
        return _module().TorsionReactor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
