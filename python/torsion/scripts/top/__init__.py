"""``torsion top``: the status of a running process in the terminal.

``options`` what is asked for, and ``run`` · ``source`` gets snapshots · ``view`` says what is shown, which ``plain`` and ``fancy``
make lines of · ``live`` shows it again and again, on a ``terminal``.
"""

from torsion.scripts.top.options import Options, run

__all__ = ["Options", "run"]
