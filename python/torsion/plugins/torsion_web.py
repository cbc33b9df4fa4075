"""``torsion web``."""

from torsion.application.service import ServiceMaker

__all__ = ["web"]

web = ServiceMaker("web", "torsion.web.tap", "Serve a folder, or a web application.", "web")
