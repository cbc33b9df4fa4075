"""Sites: ``site`` the tree · ``request`` from a path to a response · ``later`` answers that come later · ``session`` · ``gzip``."""

from torsion.web.error import UnsupportedMethod as UnsupportedMethod  # where programs have found it from the beginning
from torsion.web.resource import NOT_DONE_YET
from torsion.web.server.gzip import GzipEncoderFactory
from torsion.web.server.request import Request, supportedMethods, version
from torsion.web.server.session import Session
from torsion.web.server.site import Site

__all__ = ["NOT_DONE_YET", "GzipEncoderFactory", "Request", "Session", "Site", "supportedMethods", "version"]
