"""Resources that are bytes, send clients to a folder, or are files that have their headers in them; and what keeps scripts'."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from torsion.python.components import Componentized
from torsion.python.deprecate import deprecated
from torsion.python.versions import Version
from torsion.web.http.status import INTERNAL_SERVER_ERROR
from torsion.web.pages import errorPage, notFound
from torsion.web.resource import Resource
from torsion.web.util import redirectTo

__all__ = [
    "ASISProcessor",
    "Data",
    "Redirect",
    "Registry",
    "addSlash",
    "dangerousPathError",
    "isDangerous",
    "with_slash",
]

dangerousPathError: Final = notFound("No Such Resource", "Invalid request URL.")
"""The page for paths that lead elsewhere."""


def isDangerous(path: Any) -> bool:
    """Return whether a segment of a path, bytes or text, leads elsewhere: it is ``..``, or has a separator in it."""
    text = os.fsdecode(path)
    return text == ".." or "/" in text or os.sep in text


def with_slash(uri: bytes) -> bytes:
    """Return a target with a slash behind its path, before query and fragment.

    Two slashes at its beginning would name another host to a browser: they become one.
    """
    if uri.startswith((b"//", b"/\\")):
        uri = b"/" + uri.lstrip(b"/\\")
    end = min((at for at in (uri.find(mark) for mark in (b"?", b"#")) if at >= 0), default=len(uri))
    return uri[:end].rstrip(b"/") + b"/" + uri[end:]


@deprecated(Version("Twisted", 16, 0, 0))
def addSlash(request: Any) -> bytes:
    """Return the request's target with a slash behind its path."""
    return with_slash(request.uri)


class Data(Resource):
    """A resource that is some bytes.

    :ivar data: the bytes.
    :ivar type: their type, such as ``text/plain``.
    """

    def __init__(self, data: bytes, type: str) -> None:
        """Make one.

        :param data: the bytes.
        :param type: their type.
        """
        super().__init__()
        self.data = data
        self.type = type

    def render_GET(self, request: Any) -> bytes:
        """Answer with the bytes; to ``HEAD`` with their number."""
        request.setHeader(b"content-type", self.type.encode("ascii"))
        request.setHeader(b"content-length", b"%d" % len(self.data))
        return b"" if request.method == b"HEAD" else self.data

    render_HEAD = render_GET


class Redirect(Resource):
    """Sends a client that has asked for a folder without its slash there.

    :ivar url: where to.
    """

    def __init__(self, request: Any) -> None:
        """Make one for a request."""
        super().__init__()
        self.url = with_slash(request.uri)

    def render(self, request: Any) -> bytes:
        """Answer with the redirection."""
        return redirectTo(self.url, request)


class Registry(Componentized):
    """Keeps the resources that scripts leave behind, by path, as long as the files are as they were."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, tuple[Any, float]] = {}

    def cachePath(self, path: str, rsrc: Any) -> None:
        """Keep a resource.

        :raises OSError: if the file cannot be found.
        """
        self._kept[path] = rsrc, Path(path).stat().st_mtime

    def getCachedPath(self, path: str) -> Any:
        """Return the resource that is kept, if the file is as it was; else None."""
        kept = self._kept.get(path)
        if kept is None:
            return None
        try:
            if Path(path).stat().st_mtime == kept[1]:
                return kept[0]
        except OSError:
            pass
        del self._kept[path]
        return None


class ASISProcessor(Resource):
    """A file that is sent as it is: first lines of headers, then an empty line, then the body.

    A first line that begins with ``HTTP/`` or ``Status:`` has the code. It is for files that the owner of the server has written.

    :ivar path: the file.
    """

    def __init__(self, path: Any, registry: Any = None) -> None:
        """Make one.

        :param path: the file.
        :param registry: is kept, and not used.
        """
        super().__init__()
        self.path = os.fsdecode(path)
        self.registry = registry

    def render(self, request: Any) -> Any:
        """Answer with the file's headers and body; one that has no headers that can be read is an error of the server."""
        try:
            content = Path(self.path).read_bytes()
        except FileNotFoundError:
            return notFound().render(request)
        head, _, body = content.replace(b"\r\n", b"\n", MOST_LINES).partition(b"\n\n")
        try:
            for name, value in _fields(head):
                if name == b"status":
                    code, _, reason = value.partition(b" ")
                    request.setResponseCode(int(code), reason or None)
                elif name != b"content-length":
                    request.responseHeaders.setRawHeaders(name, [value])
        except ValueError:
            return errorPage(
                INTERNAL_SERVER_ERROR, "Internal Error", "The file does not begin with headers and an empty line."
            ).render(request)
        return body


MOST_LINES: Final = 128
"""How many ends of lines of a file that has its headers in it are read as such: no head has more."""


def _fields(head: bytes) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, bytes]] = []
    for line in head.split(b"\n"):
        if not fields and line.startswith(b"HTTP/"):
            fields.append((b"status", line.partition(b" ")[2]))
            continue
        name, colon, value = line.partition(b":")
        if not colon or not name.strip():
            raise ValueError(f"{line!r} is no header")
        fields.append((name.strip().lower(), value.strip()))
    return fields
