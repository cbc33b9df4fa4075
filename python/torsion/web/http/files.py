"""Bodies of responses that are parts of files, and that the connection sends without them being read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsion.web.http.request import Request

__all__ = ["file_way", "write_file"]


def file_way(request: Any) -> Callable[[int, int, int], None] | None:
    """Return what sends a part of a file over the connection of *request*; None if the body has to be written.

    That is so for HTTP/2, for TLS, for the connections of other reactors, and for transports that stand between (to limit the
    rate, say): what they have of the inner transport by ``__getattr__`` would pass them by.
    """
    if not isinstance(request, Request) or not getattr(request.channel, "_usual", False):
        return None
    if (
        "write" in request.__dict__
        or not getattr(type(request).write, "lets_files_pass", False)
        or getattr(request, "_encoder", None) is not None
        or getattr(request, "_fakesHead", False)
    ):
        return None  # somebody wants to see the body
    transport = request.channel.transport
    if not hasattr(type(transport), "sendFile") or transport.TLS or transport.diverted is not None:
        return None
    way: Callable[[int, int, int], None] = transport.sendFile
    return way


def write_file(request: Request, way: Callable[[int, int, int], None], file: int, offset: int, count: int) -> None:
    """Write a part of a file as a part of the body, as ``Request.write`` does.

    :param way: what :func:`file_way` returned.
    :param file: its descriptor.
    :param offset: where the part begins.
    :param count: how many bytes it has, which are no more than are left of Content-Length.
    :raises OSError: if the process may have no more descriptors.
    """
    if not request.startedWriting:
        request.write(b"")
    if not request._bodiless and count:
        way(file, offset, count)
        request.sentLength += count
        if request._left is not None:
            request._left -= count
