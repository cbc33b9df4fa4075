"""Resources that are Python files (``.rpy``): such a file is run at each request, and leaves a resource behind.

It assigns to ``resource``; it may use ``__file__``, ``registry``, and ``cache()``, after which it is not run again.
"""

from __future__ import annotations

import os
import traceback
from html import escape
from pathlib import Path
from typing import Any

from torsion.logger import Logger
from torsion.python.filepath import FilePath, InsecurePath
from torsion.web.http.status import INTERNAL_SERVER_ERROR, NOT_FOUND
from torsion.web.pages import notFound
from torsion.web.resource import NOT_DONE_YET, Resource, _PlainErrorPage

__all__ = [
    "AlreadyCached",
    "CacheScanner",
    "PythonScript",
    "ResourceScript",
    "ResourceScriptDirectory",
    "ResourceScriptWrapper",
    "noRsrc",
    "rpyNoResource",
]

_log = Logger()

rpyNoResource = (
    '<p>The variable "resource" is not assigned to in this script. For example:</p>'
    "<pre>from torsion.web.resource import Resource\n\n"
    "class Hello(Resource):\n"
    "    def render_GET(self, request):\n"
    '        return b"Hello"\n\n'
    "resource = Hello()\n</pre>"
)
"""Says what a script lacks that leaves no resource behind."""

noRsrc = _PlainErrorPage(INTERNAL_SERVER_ERROR, "Whoops! Internal Error", rpyNoResource)
"""What is in the place of the resource that a script does not leave behind."""


class AlreadyCached(Exception):
    """Ends a script that need not be run: its first argument is the resource that it left behind before."""


class CacheScanner:
    """What a script's ``cache`` and ``recache`` are methods of.

    :ivar doCache: whether the resource that the script leaves behind is to be kept.
    """

    def __init__(self, path: str, registry: Any) -> None:
        """Make one for a script.

        :param path: the script.
        :param registry: a ``static.Registry``, which keeps resources.
        """
        self.path = path
        self.registry = registry
        self.doCache = False

    def cache(self) -> None:
        """Have the resource kept; if it has been, the script ends here.

        :raises AlreadyCached: then.
        """
        kept = self.registry.getCachedPath(self.path)
        if kept is not None:
            raise AlreadyCached(kept)
        self.recache()

    def recache(self) -> None:
        """Have the resource kept in the place of one that has been."""
        self.doCache = True


def _as_text(path: Any) -> str:
    return os.fsdecode(path)


def _run(path: str, names: dict[str, Any]) -> None:
    exec(compile(Path(path).read_bytes(), path, "exec"), names)  # noqa: S102 - that is what a script is for


def ResourceScript(path: Any, registry: Any) -> Any:
    """Run a script, and return the resource that it leaves behind, or has left before.

    :param path: the file.
    :param registry: a ``static.Registry``.
    :raises Exception: whatever the script raises.
    """
    name = _as_text(path)
    scanner = CacheScanner(name, registry)
    names = {
        "__file__": name, "resource": noRsrc, "registry": registry, "cache": scanner.cache, "recache": scanner.recache
    }  # fmt: skip
    try:
        _run(name, names)
    except AlreadyCached as kept:
        return kept.args[0]
    resource = names["resource"]
    if scanner.doCache and resource is not noRsrc:
        registry.cachePath(name, resource)
    return resource


class ResourceScriptWrapper(Resource):
    """A resource that is what a script leaves behind: the script runs when it is asked for.

    :ivar path: the script.
    """

    def __init__(self, path: Any, registry: Any = None) -> None:
        """Make one.

        :param path: the file.
        :param registry: a ``static.Registry``; one of its own if it is not given.
        """
        super().__init__()
        self.path = _as_text(path)
        self.registry = _Registry() if registry is None else registry

    def render(self, request: Any) -> Any:
        """Answer as the script's resource does."""
        return ResourceScript(self.path, self.registry).render(request)

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        """Return a child of the script's resource, or that itself if it is a leaf."""
        made = ResourceScript(self.path, self.registry)
        if made.isLeaf and request.prepath:
            request.postpath.insert(0, request.prepath.pop())
            return made
        return made.getChildWithDefault(path, request)


class ResourceScriptDirectory(Resource):
    """A folder of scripts: each is a child by its name.

    :ivar path: the folder.
    """

    def __init__(self, pathname: Any, registry: Any = None) -> None:
        """Make one.

        :param pathname: the folder.
        :param registry: a ``static.Registry``; one of its own if it is not given.
        """
        super().__init__()
        self.path = _as_text(pathname)
        self.registry = _Registry() if registry is None else registry

    def getChild(self, path: Any, request: Any) -> Any:
        """Return what the script *path* leaves behind, or a folder below this one."""
        try:
            found = FilePath(self.path).child(_as_text(path))
            is_folder, is_there = found.isdir(), found.exists()
        except (InsecurePath, ValueError):  # a name that leads elsewhere, or has a null in it
            return notFound()
        if is_folder:
            return ResourceScriptDirectory(found.path, self.registry)
        return ResourceScript(found.path, self.registry) if is_there else notFound()

    def render(self, request: Any) -> Any:
        """Say that nothing is there: a folder of scripts is no page."""
        return notFound().render(request)


class PythonScript(Resource):
    """A script (``.epy``) that answers by itself, with ``request.write``.

    :ivar filename: the script.
    """

    isLeaf = True

    def __init__(self, filename: Any, registry: Any) -> None:
        """Make one.

        :param filename: the file.
        :param registry: a ``static.Registry``, for the script.
        """
        super().__init__()
        self.filename = _as_text(filename)
        self.registry = registry

    def render(self, request: Any) -> int:
        """Run the script, which has ``request``, ``__file__`` and ``registry``.

        If it raises, this is logged; the client sees it if the site displays tracebacks.
        """
        request.setHeader(b"x-powered-by", b"Torsion")
        names = {"request": request, "__file__": self.filename, "registry": self.registry}
        try:
            _run(self.filename, names)
        except FileNotFoundError as error:
            if error.filename != self.filename:
                self._failed(request)
            else:
                request.setResponseCode(NOT_FOUND)
                request.write(notFound("File not found.").render(request))
        except Exception:  # noqa: BLE001 - whatever it raises, it is the script's
            self._failed(request)
        request.finish()
        return NOT_DONE_YET

    def _failed(self, request: Any) -> None:
        shown = traceback.format_exc()
        _log.error("The script {path} has failed:\n{traceback}", path=self.filename, traceback=shown)
        if getattr(getattr(request, "site", None), "displayTracebacks", True):
            request.write(f"<pre>{escape(shown)}</pre>".encode("utf-8", "backslashreplace"))
        else:
            request.write(b"<p>The script has failed.</p>")


class _Registry:
    """Keeps resources of scripts, by their paths, as long as the files are as they were."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, float]] = {}

    def cachePath(self, path: str, rsrc: Any) -> None:
        """Keep a resource."""
        self._kept[path] = rsrc, Path(path).stat().st_mtime

    def getCachedPath(self, path: str) -> Any:
        """Return the resource that is kept, if the file is not newer; else None."""
        rsrc, when = self._kept.get(path, (None, 0.0))
        return rsrc if rsrc is not None and Path(path).stat().st_mtime == when else None
