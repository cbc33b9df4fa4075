"""The reactor inside somebody else's loop.

``driver`` what is asked of such a loop · ``reactor`` the reactor · one file for each kind of loop: ``asyncio``, ``tk``, ``qt``,
``gtk``, each with its driver, its reactor and ``install``.

Importing this, or any of these, loads no foreign loop.
"""

from torsion.internet.reactors.hosted.driver import Driver
from torsion.internet.reactors.hosted.reactor import HostedReactor

__all__ = ["Driver", "HostedReactor"]
