"""Stock Twisted on torsion's engine: unchanged applications, another reactor.

    import torsion.interop.twisted
    torsion.interop.twisted.install()
    from twisted.internet import reactor

or ``twistd --reactor=torsion``.  It needs Twisted, which ``pip install torsion[twisted]`` brings along.
"""

from torsion.interop.twisted.reactor import TorsionReactor, install

__all__ = ["TorsionReactor", "install"]

# Programs that start another on the same reactor call `install` in the module that the reactor's class says it is from.
TorsionReactor.__module__ = install.__module__ = __name__
