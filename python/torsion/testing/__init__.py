"""The testing kit: a simulated network, laws to hold protocols to, and a ``TestCase`` for Deferreds.

What draws its examples with hypothesis stands in modules of its own, ``torsion.testing.strategies``, ``.laws``, ``.machine`` and
``.searching``; install ``torsion[testing]`` for these.
"""

from torsion.testing.cases import SynchronousTestCase, TestCase
from torsion.testing.network import (
    Conditions,
    Crash,
    Cut,
    Fault,
    Freeze,
    Host,
    Jump,
    Kill,
    Reset,
    Schedule,
    Slow,
    Trace,
    Weather,
    World,
    sequence_diagram,
)

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
    "SynchronousTestCase",
    "TestCase",
    "Trace",
    "Weather",
    "World",
    "sequence_diagram",
]
