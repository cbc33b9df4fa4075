"""Applications of WSGI, PEP 3333, as resources: Flask's, Django's, and all others that stand on it."""

from torsion.web.wsgi.resource import WSGIResource

__all__ = ["WSGIResource"]
