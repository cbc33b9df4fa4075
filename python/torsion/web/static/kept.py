"""Contents of small files that were read before, as long as the files are as they were."""

from __future__ import annotations

import os
import time
from typing import Final, NamedTuple

from torsion.web.static.conditions import JUST_NOW

__all__ = ["MOST_KEPT", "MOST_TOLD", "Content", "Keeper"]

MOST_KEPT: Final = 16 * 1024 * 1024
"""How many bytes of contents a process keeps: the pages and scripts of most sites, and little beside what the process has anyway."""


MOST_TOLD: Final = 8
"""Of so many types a file may be, for different sites say, and have what is told of it kept: it is of one nearly always."""


class Content(NamedTuple):
    """What was in a file, and the file's status then.

    :ivar told: the headers that tell of it, by its type and its encoding.
    """

    status: os.stat_result
    data: bytes
    told: dict[tuple[str | None, str | None], list[tuple[bytes, bytes]]]


class Keeper:
    """Keeps contents by path; those that were kept first go when there are too many.

    A file is asked for its status on each request. A content is kept only if the file had not been changed just before: two changes
    within one tick of the file system's clock look like one.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        """Keep up to *most* bytes."""
        self.most = most
        self.size = 0
        self._contents: dict[str, Content] = {}

    def get(self, path: str, status: os.stat_result) -> Content | None:
        """Return the content of the file at *path*, whose status is *status* now; None if it is not known, or was another."""
        content = self._contents.get(path)
        if content is None:
            return None
        was = content.status
        if (
            was.st_mtime_ns == status.st_mtime_ns
            and was.st_ctime_ns == status.st_ctime_ns
            and was.st_size == status.st_size
            and was.st_ino == status.st_ino
            and was.st_dev == status.st_dev
        ):
            return content
        self._drop(path)
        return None

    def put(self, path: str, status: os.stat_result, data: bytes) -> None:
        """Keep a content, if it is not too large, and not too new.

        :param status: of the file when it was opened, before it was read.
        """
        if len(data) > self.most // 8 or time.time() - max(status.st_mtime, status.st_ctime) < JUST_NOW:
            return
        self._drop(path)
        while self.size + len(data) > self.most:
            self._drop(next(iter(self._contents)))
        self._contents[path] = Content(status, data, {})
        self.size += len(data)

    def _drop(self, path: str) -> None:
        content = self._contents.pop(path, None)
        if content is not None:
            self.size -= len(content.data)
