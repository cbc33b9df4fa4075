"""HTTP/2 (RFC 9113), for servers: a site serves it when it is told to.

``site.http2 = HTTP2Connection`` has clients choose it by TLS (ALPN), and lets those speak it at once that know.

``connection`` one connection, through the library h2, which ``pip install torsion[http2]`` brings along · ``stream`` what a
request has for its channel · ``limits`` how much a client may ask of us.
"""

from __future__ import annotations

from torsion.web.http2.connection import HTTP2Connection
from torsion.web.http2.stream import Stream

__all__ = ["HTTP2Connection", "Stream"]
