"""``torsion portforward``."""

from torsion.application.service import ServiceMaker

__all__ = ["portforward"]

portforward = ServiceMaker(
    "portforward", "torsion.tap.portforward", "Pass connections on to another port.", "portforward"
)
