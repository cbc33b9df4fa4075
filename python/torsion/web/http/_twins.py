"""What of the server is native: the reader of requests, and with ``TORSION_PURE=1`` not in the environment, the answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torsion._native import HTTPReader

PURE = os.environ.get("TORSION_PURE") == "1"
"""Whether requests are read and answered in Python, one event at a time."""

if TYPE_CHECKING or PURE:
    from torsion.web.http._answer import HTTPAnswer
    from torsion.web.http._receiver import HTTPReceiver
else:
    from torsion._native import HTTPAnswer, HTTPReceiver

__all__ = ["PURE", "HTTPAnswer", "HTTPReader", "HTTPReceiver"]
