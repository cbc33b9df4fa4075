"""The old logging module, under its old name: it is ``torsion.logger.legacy`` itself, patched globals included."""

import sys

from torsion.logger import legacy
from torsion.logger.legacy import *  # noqa: F403 - for type checkers: at run time the next line puts the module itself here

sys.modules[__name__] = legacy
