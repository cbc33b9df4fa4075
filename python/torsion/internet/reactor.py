"""The process's default reactor: importing this gives the reactor itself, and installs one if there is none yet.

    from torsion.internet import reactor

Library code is handed a reactor instead, or asks :mod:`torsion.internet._current`: importing this decides for the whole
process which reactor it has.
"""

from typing import TYPE_CHECKING

from torsion.internet.reactors.choose import install

if TYPE_CHECKING:
    from typing import Any

    def __getattr__(name: str) -> Any: ...  # the reactor's methods, as a type checker sees this module


# What an import statement hands out is what sys.modules holds once this file has been run: the reactor, not this module.
install()
