"""Twisted's name for a reactor over the system call ``select``; here it is the native one, which uses the best that there is."""

from torsion.internet.reactors.native import NativeReactor as SelectReactor
from torsion.internet.reactors.native import install

__all__ = ["SelectReactor", "install"]
