"""What is sent: bytes, text, files, what comes piece by piece, JSON, forms."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from zope.interface import implementer

from torsion.internet.defer import Deferred, ensureDeferred
from torsion.web.client.body import BytesProducer, FileBodyProducer
from torsion.web.iweb import UNKNOWN_LENGTH, IBodyProducer

__all__ = ["IterableProducer", "body_of"]


@implementer(IBodyProducer)
class IterableProducer:
    """Produces a body of what an iterator gives, asynchronous or not, as fast as it is taken."""

    length = UNKNOWN_LENGTH

    def __init__(self, pieces: AsyncIterable[bytes] | Iterable[bytes]) -> None:
        """Produce *pieces*, each of them bytes."""
        self._pieces = pieces
        self._going: Deferred[None] | None = None  # fires when it may go on, while it is paused
        self._stopped = False

    def startProducing(self, consumer: Any) -> Deferred[None]:
        """Begin: see :class:`torsion.web.iweb.IBodyProducer`."""
        return ensureDeferred(self._write_all(consumer))

    async def _write_all(self, consumer: Any) -> None:
        pieces = self._pieces
        if isinstance(pieces, AsyncIterable):
            async for piece in pieces:
                consumer.write(piece)
                await self._turn()
        else:
            for piece in pieces:
                consumer.write(piece)
                await self._turn()

    async def _turn(self) -> None:
        if self._stopped:
            await Deferred()  # who stopped this is told nothing more
        if self._going is not None:
            await self._going

    def pauseProducing(self) -> None:
        """Take no more for now."""
        if self._going is None:
            self._going = Deferred()

    def resumeProducing(self) -> None:
        """Take more."""
        going, self._going = self._going, None
        if going is not None:
            going.callback(None)

    def stopProducing(self) -> None:
        """Take no more."""
        self._stopped = True
        self.resumeProducing()


def body_of(body: Any, json_value: Any, form: Any) -> tuple[Any, bytes | None]:
    """Return the producer of a body, or None, and its type, if that is known.

    :param body: bytes, text (UTF-8), an :class:`torsion.web.iweb.IBodyProducer`, an open binary file, or what can be gone
        through and gives bytes.
    :param json_value: what is to be JSON, in a tuple; or None.
    :param form: fields by name, or pairs; a value may be a list.
    :raises TypeError: if more than one of them is given, or *body* is nothing that can be sent.
    """
    if sum(each is not None for each in (body, json_value, form)) > 1:
        raise TypeError("a request has one body: give one of body, json and form")
    if json_value is not None:
        text = json.dumps(json_value[0], ensure_ascii=False, separators=(",", ":"))
        return BytesProducer(text.encode()), b"application/json"
    if form is not None:
        pairs = list(form.items()) if isinstance(form, Mapping) else form
        return BytesProducer(urlencode(pairs, doseq=True).encode("ascii")), b"application/x-www-form-urlencoded"
    match body:
        case None:
            return None, None
        case str():
            return BytesProducer(body.encode()), b"text/plain; charset=utf-8"
        case bytes() | bytearray() | memoryview():
            return BytesProducer(bytes(body)), None
    if IBodyProducer.providedBy(body):
        return body, None
    if hasattr(body, "read"):
        return FileBodyProducer(body), None
    if isinstance(body, AsyncIterable | Iterable):
        return IterableProducer(body), None
    raise TypeError(f"{type(body).__name__} cannot be sent: a body is bytes, text, a file, or gives bytes")
