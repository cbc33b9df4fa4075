"""``torsion inetd``."""

from torsion.application.service import ServiceMaker

__all__ = ["inetd"]

inetd = ServiceMaker("inetd", "torsion.runner.inetdtap", "Start programs for connections as they come.", "inetd")
