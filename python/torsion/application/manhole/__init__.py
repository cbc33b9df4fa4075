"""Manhole: a Python prompt into the running process.

The parts, from the bottom: ``compiling`` (is a block complete), ``showing`` and ``tracebacks`` (what is printed of values and
errors, bounded), ``completing`` (names for Tab), ``streams`` (whose output is whose), ``interrupts`` (Ctrl-C while code blocks),
``interpreter`` (one operator's prompt, which knows no transport), ``messages`` (what goes over a connection), ``session`` and
``server`` (the prompt at a private UNIX socket), ``client`` (the other end, without a reactor), ``namespace`` (the names at hand).
"""

from __future__ import annotations

from torsion.application.manhole.interpreter import Interpreter, Outcome
from torsion.application.manhole.server import ManholeFactory

__all__ = ["Interpreter", "ManholeFactory", "Outcome"]
