"""Status codes and their reason phrases: those of :mod:`torsion.web.codes`, which clients load without servers."""

from __future__ import annotations

from torsion.web.codes import *  # noqa: F403 - the codes: its __all__
from torsion.web.codes import __all__ as __all__  # noqa: PLC0414 - the same names
