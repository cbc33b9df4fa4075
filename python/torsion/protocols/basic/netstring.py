"""Receiver of netstrings, ``5:hello,``."""

from __future__ import annotations

from typing import Any

from torsion.protocols.basic._strings import StringReceiver
from torsion.wire import RemoteProtocolError
from torsion.wire.framing import NetstringFramer

__all__ = ["IncompleteNetstring", "NetstringParseError", "NetstringReceiver"]


class NetstringParseError(ValueError):
    """What came in is no netstring.  :class:`NetstringReceiver` does not raise it: it closes the connection."""


class IncompleteNetstring(Exception):
    """A netstring is not complete yet.  :class:`NetstringReceiver` does not raise it: it waits for the rest."""


class NetstringReceiver(StringReceiver[NetstringFramer]):
    """Receives netstrings (https://cr.yp.to/proto/netstrings.txt); whatever else comes in closes the connection.

    Override :meth:`stringReceived`.  A string longer than :attr:`MAX_LENGTH` closes the connection, too.
    """

    brokenPeer: bool | int = 0
    """Whether the peer has sent something that is no netstring; nothing that came after it is looked at."""

    def makeConnection(self, transport: Any) -> None:
        """Take the transport of a fresh connection, and begin anew."""
        self._framer = None
        self.brokenPeer = 0
        super().makeConnection(transport)

    def dataReceived(self, data: bytes) -> None:
        """Deliver the strings that *data* completes.  Called from within a hook, it buffers *data* only."""
        if not self.brokenPeer:
            super().dataReceived(data)

    def sendString(self, string: bytes) -> None:
        """Send *string* as a netstring, of any length."""
        self.transport.write(b"%d:%b," % (len(string), string))

    def _begin(self) -> NetstringFramer:
        return NetstringFramer()

    def _feed(self, framer: NetstringFramer, data: bytes) -> list[bytes]:
        return framer.feed(data, self.MAX_LENGTH)

    def _refused(self, error: RemoteProtocolError) -> None:
        self.brokenPeer = 1
        self._take_rest()
        self.transport.loseConnection()
