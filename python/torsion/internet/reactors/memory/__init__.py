"""The flavour for tests: time that is turned by hand, a network in memory, and the same transports over both.

``reactor`` over ``engine`` over ``turns`` · ``network`` (``machine``, ``conditions``, ``sockets``, ``post``) on a ``simulation``
of ``clock`` and ``timers`` · ``stream`` and its ``state`` · ``listening`` · ``connecting`` · ``datagram`` · ``names`` of Unix
sockets · ``resolver``.
"""

from torsion.internet.reactors.memory.conditions import Conditions
from torsion.internet.reactors.memory.engine import MemoryEngine
from torsion.internet.reactors.memory.machine import Machine
from torsion.internet.reactors.memory.network import Network
from torsion.internet.reactors.memory.reactor import MemoryReactor, install
from torsion.internet.reactors.memory.trace import Trace

__all__ = ["Conditions", "Machine", "MemoryEngine", "MemoryReactor", "Network", "Trace", "install"]
