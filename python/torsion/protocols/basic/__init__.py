"""Protocol classes for the usual ways to cut a stream into messages.

``lines`` · ``prefixed`` strings with a length of one, two or four bytes in front · ``netstring`` · ``stateful`` a state
machine for strings · ``filesender`` the other direction, for files.  The cutting itself is ``torsion.wire.framing``'s.
"""

from __future__ import annotations

from typing import Final

from torsion.protocols.basic.filesender import FileSender
from torsion.protocols.basic.lines import LineOnlyReceiver, LineReceiver
from torsion.protocols.basic.netstring import IncompleteNetstring, NetstringParseError, NetstringReceiver
from torsion.protocols.basic.prefixed import (
    Int8StringReceiver,
    Int16StringReceiver,
    Int32StringReceiver,
    IntNStringReceiver,
    StringTooLongError,
)
from torsion.protocols.basic.stateful import StatefulStringProtocol

__all__ = [
    "DEBUG",
    "FileSender",
    "IncompleteNetstring",
    "Int8StringReceiver",
    "Int16StringReceiver",
    "Int32StringReceiver",
    "IntNStringReceiver",
    "LineOnlyReceiver",
    "LineReceiver",
    "NetstringParseError",
    "NetstringReceiver",
    "StatefulStringProtocol",
    "StringTooLongError",
]

DEBUG: Final = 0
"""Without meaning; kept for those who read it."""
