"""Twisted's name for the reactor inside an asyncio loop; it stands in :mod:`torsion.internet.reactors.hosted.asyncio`."""

from torsion.internet.reactors.hosted.asyncio import AsyncioReactor as AsyncioSelectorReactor
from torsion.internet.reactors.hosted.asyncio import install

__all__ = ["AsyncioSelectorReactor", "install"]
