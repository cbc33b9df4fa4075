"""WebSockets through a proxy: once the other server has consented, what either side says is passed on as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.protocols.portforward import Proxy
from torsion.web.http.status import SWITCHING
from torsion.web.http.switching import leave
from torsion.web.proxy.passing import forConnectionOnly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torsion.wire.http1 import Response

__all__ = ["asksForSocket", "openTunnel"]


def asksForSocket(command: bytes, version: bytes, headers: Mapping[bytes, bytes], data: Any, father: Any) -> bool:
    """Return whether a request asks for a WebSocket (RFC 6455, 4.1), over a connection that can become one."""
    options = [word.strip().lower() for word in headers.get(b"connection", b"").split(b",")]
    return (
        headers.get(b"upgrade", b"").strip().lower() == b"websocket"
        and b"upgrade" in options
        and (command, version, data) == (b"GET", b"HTTP/1.1", b"")
        and hasattr(getattr(father, "channel", None), "switchProtocol")
    )


def openTunnel(request: Any, head: Response, transport: Any) -> Proxy:
    """Answer a request as the other server did, and join the two connections.

    Neither side is read from faster than the other reads, and the end of one is that of the other.

    :param request: the request, which :func:`asksForSocket`.
    :param head: the other server's, with the code 101.
    :param transport: the other server's.
    :returns: what is to be given whatever comes from there, and its end.
    """
    near, far = Proxy(), Proxy()
    near.setPeer(far)
    far.setPeer(near)
    far.makeConnection(transport)
    channel, fields = request.channel, request.responseHeaders
    request.setResponseCode(SWITCHING, head.reason)
    request.defaultContentType = None
    for name in (b"content-length", b"content-type", b"transfer-encoding"):
        fields.removeHeader(name)
    dropped = forConnectionOnly([value for name, value in head.fields if name.lower() == b"connection"])
    for name, value in head.fields:
        if name.lower() not in dropped:
            fields.addRawHeader(name, value)
    fields.setRawHeaders(b"upgrade", [b"websocket"])
    fields.setRawHeaders(b"connection", [b"Upgrade"])
    request.write(b"")
    leave(request, channel)
    channel.switchProtocol(near)
    near._readPeer(far)
    far._readPeer(near)
    return far
