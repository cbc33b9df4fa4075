"""HTTP/2 (RFC 9113), for clients: many requests at a time on one connection.

``choosing`` finds out whether a server speaks it · ``connection`` one connection, through the library h2, which
``pip install torsion[http2]`` brings along · ``stream`` one request, with its ``fields`` · ``limits`` how much a server may ask of
us.  What servers have in common with it is in :mod:`torsion.web.multiplex`.
"""

from __future__ import annotations

from torsion.web.client.http2.choosing import ChoosingEndpoint, is_available
from torsion.web.client.http2.connection import HTTP2ClientProtocol

__all__ = ["ChoosingEndpoint", "HTTP2ClientProtocol", "is_available"]
