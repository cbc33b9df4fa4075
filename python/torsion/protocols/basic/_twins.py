"""Which of two twins the receivers use: the native one, or with ``TORSION_PURE=1`` in the environment that in Python."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING or os.environ.get("TORSION_PURE") == "1":
    from torsion.protocols.basic._delivery import LineDelivery, LineSender
else:
    from torsion._native import LineDelivery, LineSender

__all__ = ["LineDelivery", "LineSender"]
