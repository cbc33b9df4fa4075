"""The page: one file of HTML with its style and its script, which are allowed by their hashes and nothing else is."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from torsion.application.status.answers import Answer

__all__ = ["page"]

_PARTS = {
    "style": re.compile(rb"<style>(.*?)</style>", re.DOTALL),
    "script": re.compile(rb"<script>(.*?)</script>", re.DOTALL),
}


def page() -> Answer:
    """Return the page as an answer, with the policy that lets a browser show it."""
    body = Path(__file__).with_name("page.html").read_bytes().replace(b"\r\n", b"\n")
    rules = [
        " ".join([f"{kind}-src", *(_hash(part) for part in pattern.findall(body))]) for kind, pattern in _PARTS.items()
    ]
    return Answer(200, "text/html; charset=utf-8", body, "; ".join([*rules, "connect-src 'self'", "img-src data:"]))


def _hash(text: bytes) -> str:
    """Return the name of a part as of Content Security Policy Level 3, 2.3.1."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode('ascii')}'"
