"""Twisted's name for a reactor over the system call ``epoll``; here it is the native one, which uses the best that there is."""

from torsion.internet.reactors.native import NativeReactor as EPollReactor
from torsion.internet.reactors.native import install

__all__ = ["EPollReactor", "install"]
