"""A response, and its body on its way to who asked for it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import Deferred, succeed
from torsion.internet.interfaces import IPushProducer
from torsion.internet.protocol import Protocol
from torsion.python.failure import Failure
from torsion.web.client.errors import ResponseDone
from torsion.web.iweb import UNKNOWN_LENGTH, IResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.web.http_headers import Headers

__all__ = ["Delivery", "Response"]

MOST_AHEAD = 64 * 1024
"""How many bytes of a body are kept before somebody asks for it: small bodies come whole, without a pause, and large ones
wait at the server."""


@implementer(IResponse)
class Response:
    """A response whose head has come.

    :ivar version: the protocol: ``(b"HTTP", 1, 1)``.
    :ivar code: the status code.
    :ivar phrase: the reason phrase.
    :ivar headers: the fields, but for those of the connection and of how the body came over it, such as Content-Length.
    :ivar length: how many bytes the body has, or :data:`torsion.web.iweb.UNKNOWN_LENGTH`.
    :ivar request: the :class:`torsion.web.iweb.IClientRequest`.
    :ivar previousResponse: the response that led here by a redirect, or None.
    :ivar trailers: the fields behind the body, once it has come: pairs of a name and a value.
    """

    length: Any = UNKNOWN_LENGTH
    request: Any = None
    previousResponse: Any = None
    trailers: Sequence[tuple[bytes, bytes]] = ()

    _protocol: Any = None
    _asked = False
    _kept = 0
    _end: Failure | None = None
    _paused = False
    _delivering = False
    _over = False
    _waiting: list[Deferred[None]] | None = None

    def __init__(
        self, version: tuple[bytes, int, int], code: int, phrase: bytes, headers: Headers, _transport: Any
    ) -> None:
        self.version = version
        self.code = code
        self.phrase = phrase
        self.headers = headers
        self._transport = _transport
        self._buffer: deque[bytes] = deque()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.code} {self.phrase.decode('ascii', 'backslashreplace')}>"

    def setPreviousResponse(self, previousResponse: Any) -> None:
        """Set :attr:`previousResponse`."""
        self.previousResponse = previousResponse

    # --- who asked ---------------------------------------------------------------------------------------------------

    def deliverBody(self, protocol: Any) -> None:
        """Deliver the body, what has come of it and what will.

        :param protocol: its ``makeConnection`` is called now, with a transport that can be paused, resumed and closed; then
            ``dataReceived`` as data comes; then ``connectionLost``, with :class:`ResponseDone`, or
            :class:`torsion.web.http.PotentialDataLoss` if the server said no length and closed the connection, or
            :class:`ResponseFailed`.
        :raises RuntimeError: if the body was delivered already: it is not kept.
        """
        if self._asked:
            raise RuntimeError("a response's body is delivered once, and it was asked for already")
        self._asked = True
        self._protocol = protocol
        protocol.makeConnection(Delivery(self))
        self._deliver()

    def take(self) -> bytes | None:
        """Return the whole body and be done, if it has come already and well; else None, and nothing has changed."""
        if self._asked or self._end is None or self._end.check(ResponseDone) is None:
            return None
        self._asked = True
        self._kept = 0
        body = b"".join(self._buffer)
        self._buffer.clear()
        self._finish()
        return body

    def whenFinished(self) -> Deferred[None]:
        """Return a Deferred that fires with None when all has been delivered, or no more will be."""
        if self._over:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        if self._waiting is None:
            self._waiting = []
        self._waiting.append(waiting)
        return waiting

    def abort(self, reason: Exception | None = None) -> None:
        """Read no more, and close the connection if the body has not come yet.

        :param reason: what the body's protocol is told, within a :class:`ResponseFailed`.
        """
        transport = self._transport
        if transport is not None:
            transport.abort(reason)

    def discard(self) -> None:
        """Have the connection free for others: read the body and throw it away, if there is not much of it; else close it.

        A body that has come completely is kept, and can still be asked for.
        """
        if not self._asked and self._end is None and self._transport is not None:
            self.deliverBody(_Discarding())

    # --- the connection's side ---------------------------------------------------------------------------------------

    def bodyReceived(self, data: bytes) -> None:
        """Take a part of the body."""
        if self._protocol is not None and not self._paused and not self._delivering and not self._buffer:
            self._protocol.dataReceived(data)
            return
        self._buffer.append(data)
        self._kept += len(data)
        if self._kept >= MOST_AHEAD and self._transport is not None:
            self._transport.pauseProducing()

    def bodyFinished(self, reason: Failure) -> None:
        """Take the end of the body."""
        self._transport = None
        self._end = reason
        if self._asked:
            self._deliver()

    @property
    def held(self) -> bool:
        """Whether who asked for the body wants no more of it for now."""
        return self._paused

    # --- delivery ----------------------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        """Deliver what is kept, and the end behind it, as far as that is wanted."""
        if self._delivering or self._paused or self._protocol is None:
            return
        self._delivering = True
        buffer = self._buffer
        try:
            while buffer and not self._paused and self._protocol is not None:
                data = buffer.popleft()
                self._kept -= len(data)
                self._protocol.dataReceived(data)
        finally:
            self._delivering = False
        if buffer or self._paused:
            return
        if self._end is not None:
            self._finish()
        elif self._transport is not None:
            self._transport.resumeProducing()

    def _finish(self) -> None:
        self._over = True
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            assert self._end is not None
            protocol.connectionLost(self._end)
        waiting, self._waiting = self._waiting, None
        for each in waiting or ():
            each.callback(None)

    def pause(self) -> None:
        """Deliver nothing for now."""
        self._paused = True
        if self._transport is not None:
            self._transport.pauseProducing()

    def resume(self) -> None:
        """Deliver again."""
        if self._paused:
            self._paused = False
            self._deliver()

    def stop(self) -> None:
        """Deliver no more: close the connection, if the body has not come yet, and drop what is kept."""
        self._buffer.clear()
        self._kept = 0
        self._paused = False
        if self._transport is not None:
            self._transport.abort(None)
        else:
            self._deliver()


@implementer(IPushProducer)
class Delivery:
    """The transport of a body's protocol: it cannot be written to."""

    __slots__ = ("_response", "disconnecting")

    def __init__(self, response: Response) -> None:
        self._response = response
        self.disconnecting = False

    def pauseProducing(self) -> None:
        """Deliver nothing for now; the server is slowed down in time."""
        self._response.pause()

    def resumeProducing(self) -> None:
        """Deliver again."""
        self._response.resume()

    def stopProducing(self) -> None:
        """Deliver no more, and close the connection."""
        self.disconnecting = True
        self._response.stop()

    loseConnection = stopProducing

    def abortConnection(self) -> None:
        """Deliver no more, and close the connection."""
        self.stopProducing()

    def getPeer(self) -> Any:
        """Return the server's address, while there is a connection; else None."""
        transport = self._response._transport
        return None if transport is None else transport.getPeer()

    def getHost(self) -> Any:
        """Return this end's address, while there is a connection; else None."""
        transport = self._response._transport
        return None if transport is None else transport.getHost()


class _Discarding(Protocol):
    """Throws a body away."""

    left = MOST_AHEAD

    def dataReceived(self, data: bytes) -> None:
        self.left -= len(data)
        if self.left < 0:
            self.transport.stopProducing()
