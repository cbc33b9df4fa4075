"""Requests whose bodies are streamed to those resources that ask for it."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from torsion.python.failure import Failure
from torsion.web.server import Request

__all__ = ["StreamingRequest"]


class StreamingRequest(Request):
    """A request whose resource may read the body while it comes: give a ``Site`` this as its ``requestFactory``.

    The resource is looked for when there is a body, before it comes.  One with a true ``streamsBody`` is then rendered at
    once, and reads ``request.streamBody()``; for others the body is stored, as always.  Resources on the way to it are asked
    for their children twice.
    """

    def headReceived(self) -> None:
        """Look whether the resource reads the body by itself."""
        if self.path[:1] != b"/":
            return
        self.site = self.channel.site
        self.prepath = []
        self.postpath = [unquote_to_bytes(segment) for segment in self.path[1:].split(b"/")]
        try:
            streams = getattr(self.site.getResourceFor(self), "streamsBody", False)
        except Exception:  # noqa: BLE001 - whatever a resource raises is the end of this response, and of nothing else
            self.processingFailed(Failure())
            return
        if streams:
            self.streamBody()
