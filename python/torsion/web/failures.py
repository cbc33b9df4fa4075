"""Failures as pages: what was raised, and the lines of source around each place that it came through."""

from __future__ import annotations

import linecache
from functools import cache
from typing import TYPE_CHECKING, Any

from torsion.python.reflect import qual, safe_str
from torsion.web.iweb import ITemplateLoader
from torsion.web.template import Element, TagLoader, XMLString, flattenString, renderer
from torsion.web.template.rendering import setFailElement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torsion.python.failure import Failure
    from torsion.web.template import Flattenable, Tag

__all__ = ["FailureElement", "formatFailure"]

_LINES_AROUND = 1
"""So many lines are shown before the one in question, and after it."""

_TEMPLATE = """
<div xmlns:t="http://twistedmatrix.com/ns/twisted.web.template/0.1" class="failure">
  <style type="text/css">
    .failure { font: 0.9rem/1.5 system-ui, sans-serif; color-scheme: light dark; max-width: 60rem; margin: 1rem auto }
    .failure .error { font-weight: bold; color: #c2182b; overflow-wrap: anywhere }
    .failure .frame { margin: 0.8rem 0; overflow-x: auto; border-left: 3px solid #8888; padding-left: 0.8rem }
    .failure .location { overflow-wrap: anywhere }
    .failure .function, .failure code, .failure .lineno { font-family: ui-monospace, monospace }
    .failure .snippet { background: #8881; padding: 0.2rem 0.4rem; white-space: nowrap }
    .failure .lineno { opacity: 0.6; padding-right: 0.8rem }
    .failure .snippetHighlightLine { background: #c2182b22; font-weight: bold }
  </style>
  <div class="error"><span t:render="type" />: <span t:render="value" /></div>
  <div class="stackTrace" t:render="traceback">
    <div class="frame" t:render="frames">
      <div class="location">
        <span t:render="filename" />:<span t:render="lineNumber" /> in <span class="function" t:render="function" />
      </div>
      <div class="snippet" t:render="source">
        <div t:render="sourceLines"><span class="lineno" t:render="lineNumber" /><code t:render="sourceLine" /></div>
      </div>
    </div>
  </div>
  <div class="error"><span t:render="type" />: <span t:render="value" /></div>
</div>
"""


@cache
def _template() -> ITemplateLoader:
    """Return the template, which is read when the first failure is shown."""
    return XMLString(_TEMPLATE)


class _SourceLineElement(Element):
    """A line of source, and its number."""

    def __init__(self, loader: Any, number: int, source: str) -> None:
        super().__init__(loader)
        self.number = number
        self.source = source

    @renderer
    def sourceLine(self, request: Any, tag: Tag) -> Flattenable:
        """Return the line; it keeps its indentation in HTML, where it would count as one space."""
        return tag(self.source.replace("  ", " \N{NO-BREAK SPACE}"))

    @renderer
    def lineNumber(self, request: Any, tag: Tag) -> Flattenable:
        """Return the number."""
        return tag(str(self.number))


class _SourceFragmentElement(Element):
    """The lines around the place where a frame was."""

    def __init__(self, loader: Any, frame: Any) -> None:
        super().__init__(loader)
        self.frame = frame

    def _lines(self) -> Iterator[tuple[int, str, bool]]:
        here = self.frame[2] or 0
        for number in range(max(1, here - _LINES_AROUND), here + _LINES_AROUND + 1):
            yield number, linecache.getline(self.frame[1], number).rstrip("\n"), number == here

    @renderer
    def sourceLines(self, request: Any, tag: Tag) -> Flattenable:
        """Return a copy of the tag for each line, with its class."""
        lines: list[Flattenable] = []
        for number, source, is_here in self._lines():
            kind = "snippetHighlightLine" if is_here else "snippetLine"
            lines.append(_SourceLineElement(TagLoader(tag.clone()(**{"class": kind})), number, source))
        return lines


class _FrameElement(Element):
    """A frame: where it was, and the source there."""

    def __init__(self, loader: Any, frame: Any) -> None:
        super().__init__(loader)
        self.frame = frame

    @renderer
    def filename(self, request: Any, tag: Tag) -> Flattenable:
        """Return the name of the file."""
        return tag(self.frame[1])

    @renderer
    def lineNumber(self, request: Any, tag: Tag) -> Flattenable:
        """Return the number of the line."""
        return tag(str(self.frame[2]))

    @renderer
    def function(self, request: Any, tag: Tag) -> Flattenable:
        """Return the name of the function."""
        return tag(self.frame[0])

    @renderer
    def source(self, request: Any, tag: Tag) -> Flattenable:
        """Return the lines around."""
        return _SourceFragmentElement(TagLoader(tag), self.frame)


class _StackElement(Element):
    """Frames, the outermost first."""

    def __init__(self, loader: Any, stackFrames: Any) -> None:
        super().__init__(loader)
        self.stackFrames = stackFrames

    @renderer
    def frames(self, request: Any, tag: Tag) -> Flattenable:
        """Return a copy of the tag for each frame."""
        return [_FrameElement(TagLoader(tag.clone()), frame) for frame in self.stackFrames]


class FailureElement(Element):
    """A failure as a part of a page.

    :ivar failure: the failure.
    """

    def __init__(self, failure: Failure, loader: Any = None) -> None:
        """Make one.

        :param failure: the failure.
        :param loader: a template of one's own, which names ``type``, ``value`` and ``traceback``.
        """
        super().__init__(_template() if loader is None else loader)
        self.failure = failure

    @renderer
    def type(self, request: Any, tag: Tag) -> Flattenable:
        """Return the name of what was raised."""
        return tag(qual(self.failure.type))

    @renderer
    def value(self, request: Any, tag: Tag) -> Flattenable:
        """Return what it says."""
        return tag(safe_str(self.failure.value))

    @renderer
    def traceback(self, request: Any, tag: Tag) -> Flattenable:
        """Return the frames that it came through."""
        return _StackElement(TagLoader(tag), self.failure.frames)


def formatFailure(myFailure: Failure) -> bytes:
    """Return a failure as a piece of HTML: what was raised, and where.

    :returns: ASCII, with references for other characters.
    :raises FlattenerError: if *myFailure* is no failure.
    """
    made: list[bytes] = []
    failed: list[Failure] = []
    flattenString(None, FailureElement(myFailure)).addCallbacks(made.append, failed.append)
    if failed:
        failed[0].raiseException()
    return made[0].decode("utf-8").encode("ascii", "xmlcharrefreplace")


setFailElement(FailureElement)
