"""HTTP/2 (RFC 9113), for servers: a site serves it where the library h2 is installed, unless its ``http2`` is false.

TLS has clients choose it (ALPN), and those can speak it at once that know.

``connection`` one connection, through h2 · ``heads`` the heads of requests · ``stream`` what a request has for its channel,
``pressure`` producers · ``outgoing`` what is sent, and when · ``patience`` time-outs and ends · ``limits`` how much a client may ask
of us.  What clients have in common with it is in :mod:`torsion.web.multiplex`.
"""

from __future__ import annotations

from torsion.web.http2.connection import HTTP2Connection
from torsion.web.http2.stream import Stream

__all__ = ["HTTP2Connection", "Stream"]
