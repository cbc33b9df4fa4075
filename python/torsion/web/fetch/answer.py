"""What comes back: a response, whose body is read whole, or piece by piece."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from torsion.internet.defer import Deferred
from torsion.internet.protocol import Protocol
from torsion.python.failure import Failure
from torsion.web.client import PotentialDataLoss, Response, ResponseDone
from torsion.web.client.limit import cause_of
from torsion.web.fetch.asking import without_login
from torsion.web.fetch.explaining import explained
from torsion.web.iweb import UNKNOWN_LENGTH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from torsion.web.http_headers import Headers

__all__ = ["Answer", "BodyTooLarge", "StatusError"]

MOST_READ = 256 * 1024 * 1024
"""How many bytes :meth:`Answer.read` keeps in memory, unless it is told otherwise: what is larger is meant for a file, and is
to be read piece by piece."""

MOST_KEPT = 256 * 1024
"""How many bytes wait for who reads piece by piece, before the server waits: some of what is on the way at a time."""


class StatusError(Exception):
    """The server says that it did not work.

    :ivar answer: the response.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.method} {without_login(answer.url)}: {answer.status} {answer.reason}")
        self.answer = answer


class BodyTooLarge(Exception):
    """A body has more bytes than were to be read."""


class _Pieces(Protocol):
    """Has the pieces of a body wait for who reads them."""

    def __init__(self, method: str, url: str) -> None:
        self.method = method
        self.url = url
        self._pieces: deque[bytes] = deque()
        self._kept = 0
        self._held = False
        self._end: Failure | None = None
        self._waiting: Deferred[None] | None = None

    def dataReceived(self, data: bytes) -> None:
        self._pieces.append(data)
        self._kept += len(data)
        if self._kept >= MOST_KEPT and not self._held:
            self._held = True
            self.transport.pauseProducing()
        self._wake()

    def connectionLost(self, reason: Failure = Failure(ResponseDone())) -> None:  # noqa: B008 - one for all: it is not changed
        self._end = reason
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    async def next(self) -> bytes | None:
        """Return the next piece, or None at the end."""
        while not self._pieces:
            if self._end is not None:
                if self._end.check(ResponseDone, PotentialDataLoss):
                    return None
                raise explained(cause_of(self._end.value), self._end.value, self.method, self.url)
            if self._held:
                self._held = False
                self.transport.resumeProducing()
                continue
            self._waiting = Deferred()
            await self._waiting
        piece = self._pieces.popleft()
        self._kept -= len(piece)
        return piece

    def close(self) -> None:
        """Read no more."""
        self._pieces.clear()
        if self._end is None:
            self.transport.stopProducing()


class Answer:
    """A response.

    It is read by :meth:`read`, :meth:`text`, :meth:`json`, or ``async for piece in answer``.  One that is not read to its end
    keeps its connection: close it, or use it ``async with``.

    :ivar status: the status code.
    :ivar reason: the reason phrase.
    :ivar headers: the fields, but for those of the connection: the body's length is :attr:`length`.
    :ivar method: the method of the request.
    :ivar response: the :class:`torsion.web.iweb.IResponse`.
    """

    def __init__(self, response: Any, method: str, url: str) -> None:
        self.response = response
        self.status: int = response.code
        self.reason: str = response.phrase.decode("iso-8859-1")
        self.headers: Headers = response.headers
        self.method = method
        self._asked = url
        self._pieces: _Pieces | None = None
        self._body: bytes | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status} {self.reason} {self.url}>"

    @property
    def url(self) -> str:
        """Where it came from in the end, after redirects."""
        request = self.response.request
        uri = None if request is None else request.absoluteURI
        return self._asked if uri is None else uri.decode("ascii", "replace")

    @property
    def length(self) -> int | None:
        """How many bytes the body has, if that is known before it has come: not if it is compressed, or sent in chunks."""
        length = self.response.length
        return None if length is UNKNOWN_LENGTH else int(length)

    @property
    def ok(self) -> bool:
        """Whether the server says that it worked: the status is 200 to 299."""
        return 200 <= self.status < 300

    def raise_for_status(self) -> Answer:
        """Return this, if the status is below 400.

        :raises StatusError: if it is not; the connection is let go.
        """
        if self.status < 400:
            return self
        if self._pieces is None and self._body is None:
            discard = getattr(self.response, "discard", None)
            if discard is not None:
                discard()
        raise StatusError(self)

    async def read(self, most: int | None = MOST_READ) -> bytes:
        """Return the whole body; the same again, if it was read.

        :param most: how many bytes it may have; None for any number.
        :raises BodyTooLarge: if it has more; the connection is closed.
        :raises RequestTimedOut: if it takes too long.

        To cancel it closes the connection.
        """
        if self._body is not None:
            return self._body
        if type(self.response) is Response and self._pieces is None:
            whole = self.response.take()
            if whole is not None and (most is None or len(whole) <= most):
                self._body = whole
                return whole
        parts = []
        size = 0
        try:
            async for piece in self:
                size += len(piece)
                if most is not None and size > most:
                    raise BodyTooLarge(f"{self.url} has more than {most} bytes")
                parts.append(piece)
        except BaseException:  # who is cancelled, too, reads no more, and has no use for the connection
            self.close()
            raise
        self._body = b"".join(parts)
        return self._body

    async def text(self, encoding: str | None = None, most: int | None = MOST_READ) -> str:
        """Return the whole body as text.

        :param encoding: by default what Content-Type says, else UTF-8; what is none of it becomes replacement characters.
        :param most: see :meth:`read`.
        :raises LookupError: if there is no such encoding.
        """
        return (await self.read(most)).decode(encoding or self.encoding, "replace")

    async def json(self, most: int | None = MOST_READ) -> Any:
        """Return what the whole body says, which is JSON.

        :param most: see :meth:`read`.
        :raises ValueError: if it is not.
        """
        body = await self.read(most)
        try:
            return json.loads(body)
        except ValueError as error:
            error.add_note(
                f"{self.method} {without_login(self.url)}: {self.status} {self.reason}, which begins {body[:60]!r}"
            )
            raise

    @property
    def encoding(self) -> str:
        """The character encoding of Content-Type; UTF-8 if it names none that is known."""
        import codecs
        from email.message import Message

        for value in self.headers.getRawHeaders(b"content-type") or ():
            message = Message()
            message["Content-Type"] = value.decode("iso-8859-1")
            charset = message.get_param("charset")
            if isinstance(charset, str):
                try:
                    return codecs.lookup(charset).name
                except LookupError:
                    break
        return "utf-8"

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Go through the body, piece by piece; the server waits while nobody asks for the next one."""
        return self._all()

    async def _all(self) -> AsyncIterator[bytes]:
        if self._pieces is None:
            self._pieces = _Pieces(self.method, self.url)
            self.response.deliverBody(self._pieces)
        while (piece := await self._pieces.next()) is not None:
            yield piece

    def close(self) -> None:
        """Read no more: the connection is closed, unless the whole body has come."""
        if self._pieces is not None:
            self._pieces.close()
        elif self._body is None:
            self._pieces = _Pieces(self.method, self.url)
            self.response.deliverBody(self._pieces)
            self._pieces.close()

    async def __aenter__(self) -> Self:
        """Return this."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, if it was not read."""
        if self._body is None:
            self.close()
