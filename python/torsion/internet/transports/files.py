"""Files that connections send without reading them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

from torsion._native import Stream

if TYPE_CHECKING:
    _Stream = Stream
else:
    _Stream = object

__all__ = ["CAN_SEND_FILES", "FileSending"]

CAN_SEND_FILES: Final = hasattr(Stream, "send_file")
"""Whether the system has descriptors that can be sent from: Windows has none."""


class FileSending(_Stream):
    """The part of a native stream that sends files (``IFileSendingTransport``)."""

    __slots__ = ()

    def sendFile(self, file: Any, offset: int, count: int) -> None:
        """Send a part of a file, behind what was written before; see ``IFileSendingTransport``."""
        if not CAN_SEND_FILES:
            raise RuntimeError("this system cannot send files by their descriptors: write() what is read from it")
        descriptor = file if isinstance(file, int) else file.fileno()
        offset, count = operator.index(offset), operator.index(count)
        if offset < 0 or count < 0:
            raise ValueError(f"the part of a file from {offset} on, of {count} bytes, is none: neither may be negative")
        self.send_file(descriptor, offset, count)
