"""HTTP, the protocol: ``status`` codes."""

from __future__ import annotations
