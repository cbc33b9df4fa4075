"""Twisted's name for the reactor inside GLib's loop; it stands in :mod:`torsion.internet.reactors.hosted.gtk`."""

from __future__ import annotations

from torsion.internet.reactors.hosted.gtk import GtkReactor
from torsion.internet.reactors.hosted.gtk import install as install_hosted

__all__ = ["install"]


def install(useGtk: bool = True) -> GtkReactor:
    """Make such a reactor the process's, ``torsion.internet.reactor``.

    :param useGtk: makes no difference, here as in Twisted.
    :returns: the reactor.
    :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is one.
    :raises ImportError: if PyGObject is not installed.
    """
    del useGtk
    return install_hosted()
