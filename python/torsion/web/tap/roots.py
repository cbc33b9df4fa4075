"""What the command puts at the root of its site."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from torsion.python.usage import UsageError
from torsion.web.resource import Resource, getChildForRequest

__all__ = ["Proxied", "folder", "place", "with_proxies"]

PLAIN: Final = "text/plain; charset=utf-8"
"""The type of files whose names do not tell: README, LICENSE and Makefile can be read, and nothing is run in the browser."""

READ: Final = (".lock", ".rs", ".sh", ".toml", ".yaml", ".yml")
"""Extensions of files that browsers would put into the folder of downloads, though they are text for people."""

Proxied = tuple[str, str, int, bytes]
"""A part of the path, and the host, the port and the path of the server that answers for it."""


def folder(path: str) -> Any:
    """Return the resource of a folder, or of a file.

    :raises UsageError: if there is none, or it may not be read.
    """
    from torsion.web import script, static, twcgi

    if not Path(path).exists():
        raise UsageError(f"there is no file or folder {path!r} for --path")
    if not os.access(path, os.R_OK):
        raise UsageError(f"--path {path!r} may not be read by this user")
    root = static.File(Path(path).resolve().as_posix() if path == os.curdir else path, PLAIN)
    root.contentTypes = _types(root.contentTypes)
    root.processors = {".cgi": twcgi.CGIScript, ".epy": script.PythonScript, ".rpy": script.ResourceScript}
    return root


def _types(known: Mapping[str, str]) -> dict[str, str]:
    """Return types by extension, of which text says that it is UTF-8: browsers would take it for Windows-1252.  HTML says it itself."""
    types = {extension: kind for extension, kind in known.items() if extension not in READ}
    return {
        extension: f"{kind}; charset=utf-8" if kind.startswith("text/") and kind != "text/html" else kind
        for extension, kind in types.items()
    }


def place(text: str) -> Proxied:
    """Return what an argument of ``--proxy`` says.

    :raises UsageError: if it says nothing.
    """
    below, equals, url = text.partition("=") if text.startswith("/") else ("", "=", text)
    try:
        parts = urlsplit(url)
        port = 80 if parts.port is None else parts.port
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme == "https":
        raise UsageError(f"--proxy {text!r}: other servers are asked over http only; say http://HOST[:PORT][/PATH]")
    bad = parts.scheme != "http" or not parts.hostname or parts.username is not None or parts.query or parts.fragment
    if not equals or bad or not port:
        raise UsageError(f"--proxy {text!r} is not http://HOST[:PORT][/PATH], nor that after /BELOW=")
    assert parts.hostname is not None
    return below.strip("/"), parts.hostname, port, parts.path.rstrip("/").encode()


def with_proxies(root: Any, proxies: Sequence[Proxied]) -> Any:
    """Return *root* with other servers in front of it."""
    from torsion.web.proxy import ReverseProxyResource

    places = {below: ReverseProxyResource(host, port, path) for below, host, port, path in proxies}
    whole = places.pop("", root)
    return _Places(whole, places) if places else whole


class _Places(Resource):
    """Some places that other resources answer for, and one for the rest."""

    isLeaf = True

    def __init__(self, rest: Any, places: dict[str, Any]) -> None:
        super().__init__()
        self._rest = rest
        self._places = sorted(
            ((below.encode().split(b"/"), place) for below, place in places.items()), key=lambda each: -len(each[0])
        )

    def render(self, request: Any) -> Any:
        """Have the resource answer that has the longest part of the path."""
        path = request.postpath
        for below, place in self._places:
            if path[: len(below)] == below:
                request.prepath.extend(path[: len(below)])
                del path[: len(below)]
                return getChildForRequest(place, request).render(request)
        return getChildForRequest(self._rest, request).render(request)


class _AddHeadersResource(Resource):
    """Gives all responses some headers, and leaves the rest to another resource."""

    def __init__(self, originalResource: Any, headers: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._originalResource = originalResource
        self._headers = headers

    def _add(self, request: Any) -> None:
        for name, value in self._headers:
            request.responseHeaders.addRawHeader(name, value)

    def getChildWithDefault(self, path: Any, request: Any) -> Any:
        """Return the other's child."""
        self._add(request)
        original = self._originalResource
        if original.isLeaf and request.prepath:
            request.postpath.insert(0, request.prepath.pop())
            return original
        return original.getChildWithDefault(path, request)

    def render(self, request: Any) -> Any:
        """Answer as the other does."""
        self._add(request)
        return self._originalResource.render(request)
