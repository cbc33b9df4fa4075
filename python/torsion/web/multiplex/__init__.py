"""What both ends of HTTP/2 have in common.

``frames`` what comes, looked at before the library h2 has it · ``counting`` what costs us more than it costs the other end ·
``waiting`` what the other end does not take yet · ``library`` h2 itself.
"""

from __future__ import annotations

from torsion.web.multiplex.counting import Toll
from torsion.web.multiplex.frames import Frames, TooMuchError, WrongFrameError

__all__ = ["Frames", "Toll", "TooMuchError", "WrongFrameError"]
