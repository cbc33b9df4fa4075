"""Twisted's name for whichever reactor suits the system best; here that is the native one everywhere."""

from torsion.internet.reactors.native import install

__all__ = ["install"]
