"""One end of a connection: what the peer's bytes mean, and the bytes of what is to be said, in turn."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING

from torsion._native import HTTPHead, HTTPReader, HTTPWriter
from torsion.wire._base import NEED_DATA, PAUSED, LocalProtocolError, RemoteProtocolError
from torsion.wire.http1.events import Data, EndOfMessage, Event, Request, Response
from torsion.wire.http1.limits import Limits

if TYPE_CHECKING:
    from torsion.wire._base import Buffer, NoEvent

__all__ = ["Connection", "Role"]


class Role(Enum):
    """Which end of the connection this is."""

    CLIENT = "client"
    """It sends requests."""
    SERVER = "server"
    """It sends responses."""


class Refused(RemoteProtocolError):
    """The peer's bytes are no HTTP/1.1 that can be read in one way only.

    :ivar status: the status code with which a server answers, before it closes.
    """

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words, status)
        self.status = status

    def __str__(self) -> str:
        return f"{self.args[0]} (status {self.status})"


class Connection:
    """One end of a connection that speaks HTTP/1.1: a codec in the sense of :class:`torsion.wire.Codec`.

    Messages take turns.  A server is given a request (:class:`Request`, :class:`Data`, :class:`EndOfMessage`), sends a
    response, and is given the next request: until then :meth:`next_event` returns :data:`PAUSED`, and what a client sends
    ahead is kept by :meth:`receive_data` (it is the caller who bounds that, by pausing its transport).  A client may send
    several requests ahead; responses come in their order.
    """

    def __init__(self, role: Role, limits: Limits | None = None) -> None:
        """Begin a connection.

        :param role: which end this is.
        :param limits: how much the peer may ask us to keep.
        """
        self.role = role
        limits = Limits() if limits is None else limits
        self._reader = HTTPReader(
            role is Role.SERVER,
            line=limits.line,
            head=limits.head,
            fields=limits.fields,
            extensions=limits.extensions,
        )
        self._writer = HTTPWriter()
        self._error: Refused | None = None
        self._head: HTTPHead | None = None  # of the message that is coming in, or came last
        self._answered = True  # for a server: whether the request that came last has its response
        self._asked: deque[bytes] = deque()  # for a client: the methods whose responses are to come
        self._persistent = True

    # --- in ----------------------------------------------------------------------------------------------------------

    def receive_data(self, data: Buffer, /) -> None:
        """Take bytes from the peer.  Says nothing yet: ask :meth:`next_event`."""
        self._reader.receive(data)

    def receive_eof(self) -> None:
        """Learn that the peer sends no more."""
        try:
            self._reader.end()
        except ValueError as wrong:
            self._error = Refused(*wrong.args)

    def next_event(self) -> Event | NoEvent:
        """Return the next event; :data:`NEED_DATA`; or :data:`PAUSED`, when it is this side's turn.

        :raises RemoteProtocolError: for bytes that mean nothing, or more than a limit allows; the same from then on.  Its
            ``status`` is what a server answers before it closes.
        """
        if self._error is not None:
            raise self._error
        if self.role is Role.SERVER and not self._answered and self._reader.state != "body":
            return PAUSED
        try:
            found = self._reader.next()
        except ValueError as wrong:
            self._error = Refused(*wrong.args)
            raise self._error from None
        if found is None:
            return PAUSED if self._reader.state == "switch" else NEED_DATA
        if isinstance(found, bytes):
            return Data(found)
        if isinstance(found, list):
            return EndOfMessage(tuple(found))
        return self._begin(found)

    def _begin(self, head: HTTPHead) -> Request | Response:
        self._head = head
        if head.status is None:
            assert head.method is not None
            assert head.target is not None
            self._answered = False
            self._persistent = head.persistent
            return Request(head.method, head.target, tuple(head.fields), head.version)
        assert head.reason is not None
        if head.status >= 200 or head.status == 101:
            self._asked.popleft()
            self._persistent = head.persistent
            self._expect()
        return Response(head.status, tuple(head.fields), head.reason, head.version)

    def _expect(self) -> None:
        if self._asked:
            self._reader.expect(self._asked[0] == b"HEAD", self._asked[0] == b"CONNECT")

    # --- out ---------------------------------------------------------------------------------------------------------

    def send(self, event: Event, /) -> bytes:
        """Return the bytes that stand for *event*.

        A response without Content-Length gets the framing that its client understands.

        :raises LocalProtocolError: if it cannot be sent, or not now; nothing has changed then.
        """
        try:
            match event:
                case Data(data):
                    return self._writer.data(data)
                case EndOfMessage(trailers):
                    return self._end(trailers)
                case Request():
                    return self._send_request(event)
                case Response():
                    return self._send_response(event)
        except ValueError as refused:
            raise LocalProtocolError(f"{refused}: {event!r}") from None

    def _send_request(self, request: Request) -> bytes:
        if self.role is Role.SERVER:
            raise ValueError("a server sends no requests")
        sent = self._writer.request(request.method, request.target, list(request.fields))
        self._asked.append(request.method)
        if len(self._asked) == 1:
            self._expect()
        return sent

    def _send_response(self, response: Response) -> bytes:
        if self.role is Role.CLIENT:
            raise ValueError("a client sends no responses")
        if self._answered or self._head is None:
            raise ValueError("no request is waiting for a response")
        return self._writer.response(
            response.status,
            response.reason,
            list(response.fields),
            http10=self._head.version == b"HTTP/1.0",
            to_head=self._head.method == b"HEAD",
        )

    def _end(self, trailers: tuple[tuple[bytes, bytes], ...]) -> bytes:
        if self._writer.until_close:
            self._persistent = False
        sent = self._writer.end(list(trailers))
        if self.role is Role.SERVER:
            self._answered = True
            if not self._persistent:
                self._reader.finish()
        return sent

    def data_to_send(self) -> bytes:
        """Return nothing: HTTP/1.1 owes nothing by itself."""
        return b""

    # --- what else there is to know ----------------------------------------------------------------------------------

    @property
    def persistent(self) -> bool:
        """Whether the connection may go on after the messages that are under way."""
        return self._persistent

    @property
    def expects_continue(self) -> bool:
        """Whether the request that came last waits for a response ``100 Continue`` before its body."""
        return self._head is not None and self._head.expects_continue

    @property
    def switching(self) -> bool:
        """Whether the peer's message asked for another protocol, or granted it, so that what follows may be none of HTTP."""
        return self._reader.state == "switch"

    @property
    def buffered(self) -> int:
        """How many bytes are kept."""
        return self._reader.kept

    def go_on(self) -> None:
        """Go on with HTTP after a request to switch that is not granted."""
        self._reader.go_on()

    def take_rest(self) -> bytes:
        """Return all bytes that no event was made of, and forget them: those of the other protocol."""
        return self._reader.take_rest()


Refused.__module__ = "torsion.wire.http1"  # tracebacks name the package
