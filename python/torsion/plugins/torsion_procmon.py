"""``torsion procmon``."""

from torsion.application.service import ServiceMaker

__all__ = ["procmon"]

procmon = ServiceMaker("procmon", "torsion.runner.procmontap", "Keep a program running.", "procmon")
