"""Services that run other programs: ``procmon`` keeps them running, ``inetd`` starts one for each connection."""

from __future__ import annotations

__all__: list[str] = []
