"""What of the client is native: the reader of responses and the writer of requests."""

from __future__ import annotations

from torsion._native import HTTPReader, HTTPWriter

__all__ = ["HTTPReader", "HTTPWriter"]
