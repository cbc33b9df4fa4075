"""A folder as a page: what is in it, with sizes and dates, sorted as the reader likes."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from torsion.web.error import UnsupportedMethod
from torsion.web.http.status import FORBIDDEN
from torsion.web.pages import errorPage, notFound
from torsion.web.resource import Resource
from torsion.web.static.types import getTypeAndEncoding, loadMimeTypes

__all__ = ["DirectoryLister", "FolderListing", "formatFileSize", "is_hidden"]

MOST_ENTRIES: Final = 10_000
"""How many entries of a folder are shown: a browser takes seconds for more, and the reactor to look at them."""


def is_hidden(name: str) -> bool:
    """Return whether a name begins with a dot; ``.well-known`` is for everybody (RFC 8615)."""
    return name.startswith(".") and name != ".well-known"


def formatFileSize(size: int) -> str:
    """Return a number of bytes for people, rounded down: ``8B``, ``7K``, ``12M``, ``3G``."""
    for unit in "BKM":
        if size < 1024:
            return f"{size}{unit}"
        size //= 1024
    return f"{size}G"


def _shown_uri(request: Any) -> str:
    return unquote_to_bytes(request.uri.partition(b"?")[0]).decode("utf-8", "replace")


class DirectoryLister(Resource):
    """A folder as a plain table.

    :cvar template: the page: ``%(header)s`` and ``%(tableContent)s`` are put in, as HTML.
    :cvar linePattern: a row: ``%(class)s``, ``%(href)s``, ``%(text)s``, ``%(size)s``, ``%(type)s`` and ``%(encoding)s``.
    :ivar path: the folder.
    :ivar dirs: the names that are shown; None for all.
    """

    template = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>%(header)s</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem } td, th { padding: 0 1rem 0 0; text-align: left }</style>
</head>
<body>
<h1>%(header)s</h1>
<table>
<thead>
<tr><th>Filename</th><th>Size</th><th>Content type</th><th>Content encoding</th></tr>
</thead>
<tbody>
%(tableContent)s
</tbody>
</table>
</body>
</html>
"""

    linePattern = """<tr class="%(class)s">
    <td><a href="%(href)s">%(text)s</a></td>
    <td>%(size)s</td>
    <td>%(type)s</td>
    <td>%(encoding)s</td>
</tr>
"""

    def __init__(
        self,
        pathname: Any,
        dirs: Iterable[str] | None = None,
        contentTypes: Mapping[str, str] | None = None,
        contentEncodings: Mapping[str, str] | None = None,
        defaultType: str = "text/html",
    ) -> None:
        """List a folder.

        :param pathname: the folder.
        :param dirs: the names that are shown; None for all that are in it.
        :param contentTypes: types by extension; by default those of this machine.
        :param contentEncodings: encodings by extension; by default those of ``File``.
        :param defaultType: the type of files whose extension tells none.
        """
        super().__init__()
        self.path = os.fsdecode(pathname) if isinstance(pathname, bytes) else pathname
        self.dirs = dirs
        self.contentTypes = loadMimeTypes() if contentTypes is None else contentTypes
        self.contentEncodings = {".gz": "gzip", ".bz2": "bzip2"} if contentEncodings is None else contentEncodings
        self.defaultType = defaultType

    def __repr__(self) -> str:
        return f"<DirectoryLister of {self.path!r}>"

    __str__ = __repr__

    def _getFilesAndDirectories(self, directory: Iterable[str]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """Return what is shown of folders, and of files, each escaped; what cannot be looked at is left out."""
        folders, files = [], []
        for name in directory:
            path = os.path.join(self.path, name)  # noqa: PTH118 - of texts
            try:
                status = os.stat(path)  # noqa: PTH116 - a text
            except OSError:
                continue
            shown = name.encode("utf-8", "replace").decode()
            href = quote(os.fsencode(name), safe="")
            if stat.S_ISDIR(status.st_mode):
                folders.append(
                    {"text": escape(shown) + "/", "href": href + "/", "size": "", "type": "[Directory]", "encoding": ""}
                )
                continue
            kind, encoding = getTypeAndEncoding(name, self.contentTypes, self.contentEncodings, self.defaultType)
            files.append(
                {
                    "text": escape(shown),
                    "href": href,
                    "size": formatFileSize(status.st_size),
                    "type": f"[{kind}]",
                    "encoding": f"[{encoding}]" if encoding else "",
                }
            )
        return folders, files

    def _buildTableContent(self, elements: Iterable[Mapping[str, str]]) -> list[str]:
        """Return the rows of a table."""
        return [
            self.linePattern % {**element, "class": "even" if number % 2 else "odd"}
            for number, element in enumerate(elements)
        ]

    def render(self, request: Any) -> Any:
        """Answer with the page."""
        request.setHeader(b"content-type", b"text/html; charset=utf-8")
        try:
            names = sorted(os.listdir(self.path) if self.dirs is None else self.dirs)  # noqa: PTH208 - names
        except OSError as error:
            return _unlistable(error).render(request)
        folders, files = self._getFilesAndDirectories(names)
        rows = "".join(self._buildTableContent(folders + files))
        header = "Directory listing for " + escape(_shown_uri(request), quote=False)
        return (self.template % {"header": header, "tableContent": rows}).encode("utf-8", "replace")


def _unlistable(error: OSError) -> Any:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return notFound("No Such Resource", "File not found.")
    return errorPage(FORBIDDEN, "Forbidden", "This folder cannot be listed.")


class _Entry(NamedTuple):
    name: str
    folder: bool
    size: int
    changed: float


_LOOKING: Final = (b"GET", b"HEAD")

_KEYS: Final = {
    "name": lambda entry: entry.name.casefold(),
    "size": lambda entry: entry.size,
    "changed": lambda entry: entry.changed,
}

_UNSEEN: Final = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Control characters, and those that have text run the other way: with them ``exe.jpg`` can be shown for ``gpj.exe``."""

_HEADINGS: Final = (("name", "Name"), ("size", "Size"), ("changed", "Changed"))


def _page() -> tuple[str, str, bytes]:
    """Return the page's template in two parts, and the policy by which a browser takes its style and nothing else."""
    text = Path(__file__).with_name("listing.html").read_text("utf-8")
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    top, _, bottom = text.partition("{content}")
    return top, bottom, policy.encode("ascii")


class FolderListing(DirectoryLister):
    """A folder as a page that is pleasant to read, in light and dark, on a phone and on a desk.

    The query sorts it: ``?sort=size``, ``?sort=-changed``.

    :ivar top: the folder out of which symbolic links lead nowhere: such are not shown; None to show all.
    :ivar hidden: whether names that begin with a dot are shown.
    """

    top: str | None = None
    hidden = True

    _template: tuple[str, str, bytes] | None = None

    def render(self, request: Any) -> Any:
        """Answer with the page; there is nothing to do with a folder but look at it.

        :raises UnsupportedMethod: for other methods than GET and HEAD.
        """
        if request.method not in _LOOKING:
            raise UnsupportedMethod(_LOOKING)
        try:
            entries, more = self._entries()
        except OSError as error:
            return _unlistable(error).render(request)
        if FolderListing._template is None:
            FolderListing._template = _page()
        top, bottom, policy = FolderListing._template
        request.setHeader(b"content-type", b"text/html; charset=utf-8")
        request.setHeader(b"content-security-policy", policy)
        request.setHeader(b"cache-control", b"no-cache")
        sort = _sort_of(request)
        uri = _shown_uri(request)
        body = "".join([top.replace("{title}", escape(uri)), *self._content(uri, entries, more, sort), bottom])
        return body.encode("utf-8", "replace")

    def _entries(self) -> tuple[list[_Entry], bool]:
        """Return what is in the folder, and whether there is more; what leads nowhere is left out.

        :raises OSError: if the folder cannot be read.
        """
        entries: list[_Entry] = []
        wanted = None if self.dirs is None else set(self.dirs)
        with os.scandir(self.path) as found:
            for each in found:
                if wanted is not None and each.name not in wanted:
                    continue
                if not self.hidden and is_hidden(each.name):
                    continue
                if len(entries) == MOST_ENTRIES:
                    return entries, True
                try:
                    status = each.stat()
                except OSError:
                    continue
                if self.top is not None and each.is_symlink() and not _is_within(each.path, self.top):
                    continue
                folder = stat.S_ISDIR(status.st_mode)
                entries.append(_Entry(each.name, folder, 0 if folder else status.st_size, status.st_mtime))
        return entries, False

    def _content(self, uri: str, entries: list[_Entry], more: bool, sort: str) -> Iterable[str]:
        yield f"<h1>{_crumbs(uri)}</h1>\n"
        if not entries:
            yield '<p class="empty">There is nothing in this folder.</p>\n'
            return
        yield "<table>\n<thead><tr>"
        for key, title in _HEADINGS:
            yield _heading(key, title, sort)
        yield "</tr></thead>\n<tbody>\n"
        if uri.strip("/"):
            yield '<tr class="folder"><td><a href="../" aria-label="The folder above">..</a></td><td></td><td></td></tr>\n'
        key = sort.removeprefix("-")
        entries.sort(key=_KEYS["name"])
        entries.sort(key=_KEYS[key], reverse=sort.startswith("-"))
        entries.sort(key=lambda entry: not entry.folder)
        yield from map(_row, entries)
        yield "</tbody>\n</table>\n"
        yield f"<footer>{_summary(entries, more)}</footer>\n"


def _is_within(path: str, top: str) -> bool:
    top = os.path.realpath(top)
    return os.path.commonpath([os.path.realpath(path), top]) == top


def _sort_of(request: Any) -> str:
    asked = getattr(request, "args", {}).get(b"sort", [b"name"])[0].decode("latin-1")
    return asked if asked.removeprefix("-") in _KEYS else "name"


def _heading(key: str, title: str, sort: str) -> str:
    if key == sort:
        target, mark = "-" + key, ' aria-sort="ascending"'
    else:
        target, mark = key, ' aria-sort="descending"' if sort == "-" + key else ""
    return f'<th scope="col"{mark}><a href="?sort={target}">{title}</a></th>'


def _crumbs(uri: str) -> str:
    segments = [segment for segment in uri.split("/") if segment]
    links = [f'<a href="{"../" * len(segments) or "./"}">top</a>']
    for number, segment in enumerate(segments, 1):
        up = "../" * (len(segments) - number) or "./"
        links.append(f'<a href="{up}"><bdi>{_shown(segment)}</bdi></a>')
    return "<span>/</span>".join(links) + "<span>/</span>"


def _shown(name: str) -> str:
    """Return a name as HTML; what would turn it round, or cannot be seen, is shown as U+FFFD."""
    text = name.encode("utf-8", "replace").decode()
    if not text.isprintable():
        text = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)
    return escape(text)


def _row(entry: _Entry) -> str:
    shown = f"<bdi>{_shown(entry.name)}</bdi>"
    slash = "/" if entry.folder else ""
    try:
        href = quote(entry.name.encode("utf-8"), safe="")
    except UnicodeEncodeError:  # no URL leads to a name that is no text
        name = f"<span>{shown}{slash}</span>"
    else:
        name = f'<a href="{href}{slash}">{shown}{slash}</a>'
    try:
        when = datetime.fromtimestamp(entry.changed, UTC)
    except (ValueError, OverflowError, OSError):  # a year that has five digits, and none that anybody means
        when = datetime.fromtimestamp(0, UTC)
    kind = "folder" if entry.folder else "file"
    size = "" if entry.folder else f'<data value="{entry.size}" title="{entry.size:,} bytes">{_size(entry.size)}</data>'
    return (
        f'<tr class="{kind}"><td>{name}</td><td>{size}</td>'
        f'<td><time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{when:%Y-%m-%d} <span>{when:%H:%M}</span></time></td></tr>\n'
    )


def _size(size: float) -> str:
    """Return a number of bytes with its unit, to three digits."""
    if size < 1024:
        return f"{size} B"
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1023.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} TiB"


def _summary(entries: list[_Entry], more: bool) -> str:
    folders = sum(entry.folder for entry in entries)
    files = len(entries) - folders
    parts = [
        f"{number:,} {one if number == 1 else many}"
        for number, one, many in ((folders, "folder", "folders"), (files, "file", "files"))
        if number
    ]
    text = ", ".join(parts)
    if files:
        text += f", {_size(sum(entry.size for entry in entries))}"
    return f"{text}; only the first {MOST_ENTRIES:,} are shown" if more else text
