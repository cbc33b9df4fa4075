"""The system's log, under its old name: it is ``torsion.logger.syslog`` itself, patched globals included."""

import sys

from torsion.logger import syslog
from torsion.logger.syslog import *  # noqa: F403 - for type checkers: at run time the next line puts the module itself here

sys.modules[__name__] = syslog
