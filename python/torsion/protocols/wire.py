"""The small services of old: echo, discard, noise, the time of day, and others. Their clients only have to listen."""

from __future__ import annotations

from typing import Final

from zope.interface import implementer

from torsion.internet.interfaces import IConsumer, IProducer, IPushProducer
from torsion.internet.protocol import Protocol

__all__ = ["QOTD", "Chargen", "Daytime", "Discard", "Echo", "Time", "Who"]

_EPOCH_1900: Final = 2_208_988_800
"""Seconds from the beginning of 1900, from which RFC 868 counts, to that of 1970."""


class Echo(Protocol):
    """Sends back whatever comes in (RFC 862), as fast as the peer reads it: one that does not is not read from."""

    def connectionMade(self) -> None:
        """Have the reading wait for the writing, if the transport knows how to."""
        transport = self.transport
        if IConsumer.providedBy(transport) and IPushProducer.providedBy(transport):
            transport.registerProducer(transport, True)

    def dataReceived(self, data: bytes) -> None:
        """Send *data* back."""
        self.transport.write(data)


class Discard(Protocol):
    """Throws away whatever comes in (RFC 863)."""

    def dataReceived(self, data: bytes) -> None:
        """Do nothing."""


@implementer(IProducer)
class Chargen(Protocol):
    """Sends the same noise again and again, as fast as the peer reads it (RFC 864)."""

    noise: bytes = b'@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~ !"#$%&?'
    """What is sent."""

    def connectionMade(self) -> None:
        """Begin."""
        self.transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """Send the noise once."""
        self.transport.write(self.noise)

    def pauseProducing(self) -> None:
        """Do nothing: noise is sent only when it is asked for."""

    def stopProducing(self) -> None:
        """Do nothing: nobody asks any more."""


class _Answer(Protocol):
    """Says one thing, and hangs up."""

    def connectionMade(self) -> None:
        self.transport.write(self._answer())
        self.transport.loseConnection()

    def _answer(self) -> bytes:
        raise NotImplementedError


class QOTD(_Answer):
    """Sends a quotation, and hangs up (RFC 865)."""

    def getQuote(self) -> bytes:
        """Return the quotation, at most 512 bytes of ASCII. Override it to be of more use."""
        return b"An apple a day keeps the doctor away.\r\n"

    def _answer(self) -> bytes:
        return self.getQuote()


class Who(_Answer):
    """Sends the list of the users that are active, and hangs up (RFC 866)."""

    def getUsers(self) -> bytes:
        """Return the users, each with a line of its own. Override it: here it is ``root``, always."""
        return b"root\r\n"

    def _answer(self) -> bytes:
        return self.getUsers()


class Daytime(_Answer):
    """Sends the time of day, in UTC and for people to read, and hangs up (RFC 867)."""

    def _answer(self) -> bytes:
        from time import asctime, gmtime

        return asctime(gmtime()).encode("ascii") + b"\r\n"


class Time(_Answer):
    """Sends the time in seconds since 1900, as four bytes, and hangs up (RFC 868).

    They are counted from 0 again in 2036.
    """

    def _answer(self) -> bytes:
        from time import time

        return (int(time() + _EPOCH_1900) % 2**32).to_bytes(4, "big")
