"""Flavours of reactor that plugins bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["IReactorInstaller", "installers"]


class IReactorInstaller(Interface):
    """What can install a reactor.  As a plugin, it may also have a ``why_not()``, which returns why it does not work on this computer, or
    None."""

    shortName = Attribute("""The flavour's name, as users type it.""")

    description = Attribute("""What it is, in a few words.""")

    def install() -> Any:
        """Make such a reactor the process's, by ``installReactor``, and return it."""


def installers() -> Iterator[Any]:
    """Yield those that plugins bring; a broken one is logged and left out."""
    from torsion.plugin import getPlugins

    yield from getPlugins(IReactorInstaller)
