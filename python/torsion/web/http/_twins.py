"""What of the server is native: the reader of requests."""

from __future__ import annotations

from torsion._native import HTTPReader

__all__ = ["HTTPReader"]
