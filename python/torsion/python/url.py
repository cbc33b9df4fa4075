"""URLs as immutable values: hyperlink's class, where that package is installed (``pip install torsion[url]``)."""

from __future__ import annotations

try:
    from hyperlink import URL
except ImportError as error:
    raise ImportError("torsion.python.url needs the package hyperlink: pip install torsion[url]") from error

__all__ = ["URL"]
