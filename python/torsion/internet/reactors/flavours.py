"""The flavours of reactor that come with torsion: their names, where they are, and whether they work on this computer.

Nothing of a flavour is imported to find that out.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT", "FLAVOURS", "Flavour"]

DEFAULT = "native"
"""The flavour that ``from torsion.internet import reactor`` installs if nobody asks for another."""


class Flavour(NamedTuple):
    """A flavour of reactor; it is what ``IReactorInstaller`` asks of a plugin.

    :ivar shortName: its name.
    :ivar description: what it is, in a few words.
    :ivar module: the module whose ``install()`` makes such a reactor the process's.
    :ivar needs: the module that it cannot do without, and how to get it.
    :ivar display: whether it needs a display to draw on.
    """

    shortName: str
    description: str
    module: str
    needs: tuple[str, str] | None = None
    display: bool = False

    def why_not(self) -> str | None:
        """Return why this flavour does not work on this computer, or None if it should."""
        if self.needs is not None:
            if sys.platform == "win32":
                return "Windows has no descriptor that another loop could watch"
            from importlib.util import find_spec

            module, remedy = self.needs
            if find_spec(module) is None:
                return remedy
        if self.display and sys.platform != "darwin" and not os.environ.get("DISPLAY"):
            return "there is no display: DISPLAY is not set"
        return None

    def install(self) -> Any:
        """Make such a reactor the process's, and return it.

        :raises ImportError: if what it needs is not there.
        :raises torsion.internet.error.ReactorAlreadyInstalledError: if there is an installed reactor already.
        """
        from importlib import import_module

        return import_module(self.module).install()


def _hosted(name: str, description: str, needs: tuple[str, str], display: bool = False) -> Flavour:
    return Flavour(f"hosted-{name}", description, f"torsion.internet.reactors.hosted.{name}", needs, display)


FLAVOURS: Mapping[str, Flavour] = {
    each.shortName: each
    for each in (
        Flavour("native", "torsion's own loop, in Rust", "torsion.internet.reactors.native"),
        _hosted(
            "asyncio",
            "inside an asyncio loop: the one that runs, or a new one of the policy's kind, such as uvloop's",
            needs=("asyncio", "this Python has no asyncio"),
        ),
        _hosted(
            "tk",
            "inside Tk's loop, by tkinter",
            needs=("_tkinter", "this Python has no tkinter"),
            display=True,
        ),
        _hosted(
            "qt",
            "inside Qt 6's loop, by PySide6",
            needs=("PySide6", "PySide6 is not installed; pip install PySide6-Essentials"),
        ),
        _hosted(
            "gtk",
            "inside GLib's loop, which is GTK 4's, by PyGObject",
            needs=("gi", "PyGObject is not installed; pip install PyGObject"),
        ),
        Flavour(
            "memory",
            "for tests: a clock that is turned by hand, and a network that is not there",
            "torsion.internet.reactors.memory",
        ),
    )
}
"""The flavours by name."""
