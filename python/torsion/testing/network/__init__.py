"""A simulated network: hosts, time that is turned by hand, faults, and what happened, written down and drawn.

``world`` (``host``) over ``torsion.internet.reactors.memory`` · ``faults`` and the ``schedule`` of them · ``searching`` for the
smallest one that makes a scenario fail · ``diagram`` of a trace.
"""

from torsion.internet.reactors.memory import Conditions, Trace
from torsion.testing.network.diagram import sequence_diagram
from torsion.testing.network.faults import (
    Crash,
    Cut,
    Fault,
    Freeze,
    Jump,
    Kill,
    Reset,
    Slow,
    Weather,
)
from torsion.testing.network.host import Host
from torsion.testing.network.schedule import Schedule
from torsion.testing.network.world import World

__all__ = [
    "Conditions",
    "Crash",
    "Cut",
    "Fault",
    "Freeze",
    "Host",
    "Jump",
    "Kill",
    "Reset",
    "Schedule",
    "Slow",
    "Trace",
    "Weather",
    "World",
    "sequence_diagram",
]
