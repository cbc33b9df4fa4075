"""Moving programs from Twisted to torsion: what ``torsion port`` does.

``source`` text and places · ``available`` what torsion has · ``replacements`` what to do about the rest · ``facts`` what a module imports
and uses · ``imports``, ``rewrite`` the changes · ``requirements`` what depends on Twisted · ``files`` folders · ``report`` what is told.

Nothing of what is ported, and nothing of torsion, is imported to find out what it has.
"""

from torsion.porting.available import Available
from torsion.porting.files import Found, replace, walk
from torsion.porting.report import Report, difference
from torsion.porting.requirements import requirements
from torsion.porting.rewrite import Ported, port
from torsion.porting.source import Unportable

__all__ = [
    "Available",
    "Found",
    "Ported",
    "Report",
    "Unportable",
    "difference",
    "port",
    "replace",
    "requirements",
    "walk",
]
