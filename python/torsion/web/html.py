"""A few pieces of HTML made by hand, which Twisted once had (deprecated): use ``web.template``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from io import StringIO
from typing import Any

from torsion.python.deprecate import deprecated
from torsion.python.versions import Version

__all__ = ["PRE", "UL", "linkList", "output"]


@deprecated(Version("Twisted", 15, 3, 0), replacement="torsion.web.template")
def PRE(text: str) -> str:
    """Return *text* as it stands, in a ``pre`` element."""
    return f"<pre>{escape(text)}</pre>"


@deprecated(Version("Twisted", 15, 3, 0), replacement="torsion.web.template")
def UL(lst: Iterable[str]) -> str:
    """Return a list of pieces of HTML."""
    return "<ul>" + "".join(f"<li>{item}</li>\n" for item in lst) + "</ul>"


@deprecated(Version("Twisted", 15, 3, 0), replacement="torsion.web.template")
def linkList(lst: Iterable[tuple[str, str]]) -> str:
    """Return a list of links: pairs of a URL and a piece of HTML."""
    items = "".join(f'<li><a href="{escape(url)}">{name}</a></li>\n' for url, name in lst)
    return f"<ul>{items}</ul>"


@deprecated(Version("Twisted", 15, 3, 0), replacement="torsion.web.template")
def output(func: Callable[..., Any], *args: Any, **kw: Any) -> str:
    """Return what ``func(*args, **kw)`` returns; if it raises, the traceback as HTML."""
    try:
        made: str = func(*args, **kw)
        return made
    except Exception:  # noqa: BLE001 - that is what it is for
        import traceback

        text = StringIO()
        traceback.print_exc(file=text)
        return f"<pre>{escape(text.getvalue())}</pre>"
