"""Which of two twins the package uses: the native ones, or those in Python.

The latter with ``TORSION_PURE=1`` in the environment, and where the interpreter has no lock that all threads share: the
native ones need it.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING or os.environ.get("TORSION_PURE") == "1" or not getattr(sys, "_is_gil_enabled", lambda: True)():
    from ._deferred import Deferred
    from ._start import collect_fired, ensureDeferred, run_steps, succeed
else:
    from torsion._native import Deferred, collect_fired, ensureDeferred, run_steps, succeed

__all__ = ["Deferred", "collect_fired", "ensureDeferred", "run_steps", "succeed"]
