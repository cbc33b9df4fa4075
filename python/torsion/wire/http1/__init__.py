"""HTTP/1.1 (RFC 9112): requests and responses, read and written.

The work is done by Rust (the crate ``torsion-http1``).  ``events`` what is read and written · ``limits`` how much is kept ·
``connection`` one end of a connection, both ways.
"""

from __future__ import annotations

from torsion.wire.http1.connection import Connection, Role
from torsion.wire.http1.events import Data, EndOfMessage, Event, Request, Response
from torsion.wire.http1.limits import Limits

__all__ = ["Connection", "Data", "EndOfMessage", "Event", "Limits", "Request", "Response", "Role"]
