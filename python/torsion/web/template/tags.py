"""The elements of HTML, ready to be made: ``tags.p("text")``."""

from __future__ import annotations

from typing import Final

from .stan import Tag

__all__ = ["VALID_HTML_TAG_NAMES", "tags"]

_NAMES: Final = """
    a abbr acronym address applet area article aside audio b base basefont bdi bdo big blockquote body br button canvas caption
    center cite code col colgroup command data datalist dd del details dfn dialog dir div dl dt em embed fieldset figcaption figure
    font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins isindex kbd keygen label
    legend li link main map mark menu meta meter nav noframes noscript object ol optgroup option output p param picture pre progress q
    rp rt ruby s samp script search section select slot small source span strike strong style sub summary sup table tbody td template
    textarea tfoot th thead time title tr track tt u ul var video wbr
"""

VALID_HTML_TAG_NAMES: Final = set(_NAMES.split())
"""The names of elements in HTML 3.2, 4.01, and as it is now; without those that cannot be written safely, such as ``xmp``."""


class _Tags:
    """Makes elements by their names."""

    def __getattr__(self, tagName: str) -> Tag:
        """Return a new element of this name, or a transparent one for ``transparent``.

        :raises AttributeError: if HTML has none of that name; :class:`Tag` makes any.
        """
        if tagName == "transparent":
            return Tag("")
        # `del` is a word of Python's, so that it can be said with an underscore.
        name = tagName.removesuffix("_")
        if name not in VALID_HTML_TAG_NAMES:
            raise AttributeError(f"unknown tag {tagName!r}")
        return Tag(name)


tags: Final = _Tags()
"""Makes elements by their names: ``tags.p``, ``tags.img(src="...")``, ``tags.del_("...")``; ``tags.transparent`` has no name."""
