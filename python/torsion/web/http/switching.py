"""The end of a request whose connection goes on in another protocol: a WebSocket, or a tunnel to one."""

from __future__ import annotations

from typing import Any

__all__ = ["leave"]


def leave(request: Any, channel: Any) -> None:
    """Be done with a request whose response was its head, before its connection is given to another protocol.

    It is logged, those are told who asked for its end, and it has no channel any more.
    """
    factory = getattr(channel, "factory", None)
    if factory is not None:
        factory.log(request)
    request.finished = 1
    request._past, request.channel = channel, None
    request._close_content()
    if request._attended:
        notifications, request.notifications = request.notifications, []
        for each in notifications:
            each.callback(None)
