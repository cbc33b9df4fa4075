"""How pages of the server's own look: those that say that something is wrong."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["PAGE_STYLE", "styled"]

PAGE_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1.5rem;"
    "color:#1c2127;background:#f5f7f9;overflow-wrap:anywhere}"
    "h1{font-size:1.5rem;margin:0 0 .5rem}p{margin:0}small{color:#5d6975;font-size:1em}"
    "@media(prefers-color-scheme:dark){body{color:#e2e7ec;background:#0f1317}small{color:#94a0ac}}"
)
"""Pleasant to read on a phone and on a desk, in light and dark; nothing is loaded for it."""


def styled(request: Any, code: int, brief: str, detail: str) -> bytes | None:
    """Return a page in the style of a request's ``pageStyle``; None if it has none, and pages are to be plain.

    :param code: the code of the response.
    :param brief: the title, as HTML.
    :param detail: a sentence or two, as HTML.
    """
    style = getattr(request, "pageStyle", None)
    if not style:
        return None
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{code} - {brief}</title><style>{style}</style></head>"
        f"<body><h1><small>{code}</small> {brief}</h1><p>{detail}</p></body></html>\n"
    ).encode()
