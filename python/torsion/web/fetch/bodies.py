"""What is sent: bytes, text, files, what comes piece by piece, JSON, forms."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any

from zope.interface import implementer

from torsion.internet.defer import Deferred, ensureDeferred
from torsion.web.client.body import BytesProducer, FileBodyProducer
from torsion.web.fetch.asking import encoded
from torsion.web.fetch.pausing import Pausing
from torsion.web.iweb import UNKNOWN_LENGTH, IBodyProducer

__all__ = ["IterableProducer", "body_of"]


@implementer(IBodyProducer)
class IterableProducer(Pausing):
    """Produces a body of what an iterator gives, asynchronous or not, as fast as it is taken."""

    length = UNKNOWN_LENGTH

    def __init__(self, pieces: AsyncIterable[bytes] | Iterable[bytes]) -> None:
        """Produce *pieces*, each of them bytes."""
        super().__init__()
        self._pieces = pieces

    def startProducing(self, consumer: Any) -> Deferred[None]:
        """Begin: see :class:`torsion.web.iweb.IBodyProducer`."""
        return ensureDeferred(self._write_all(consumer))

    async def _write_all(self, consumer: Any) -> None:
        pieces = self._pieces
        if isinstance(pieces, AsyncIterable):
            async for piece in pieces:
                consumer.write(_bytes(piece))
                await self.turn()
        else:
            for piece in pieces:
                consumer.write(_bytes(piece))
                await self.turn()


def _bytes(piece: Any) -> bytes:
    if not isinstance(piece, bytes | bytearray | memoryview):
        raise TypeError(f"the pieces of a body are bytes, not {type(piece).__name__}: {piece!r:.100}")
    return bytes(piece)


def body_of(body: Any, json_value: Any, form: Any, files: Any = None) -> tuple[Any, bytes | None]:
    """Return the producer of a body, or None, and its type, if that is known.

    :param body: bytes, text (UTF-8), an :class:`torsion.web.iweb.IBodyProducer`, an open binary file, or what can be gone
        through and gives bytes.
    :param json_value: what is to be JSON, in a tuple; or None.
    :param form: fields by name, or pairs; a value may be a list.
    :param files: files by field: see :class:`torsion.web.fetch.multipart.MultipartProducer`.
    :raises TypeError: if more than one of them is given, or *body* is nothing that can be sent.
    """
    if sum(each is not None for each in (body, json_value, form if files is None else files)) > 1:
        raise TypeError("a request has one body: give one of body, json and form (with files, perhaps)")
    if files is not None:
        from torsion.web.fetch.multipart import MultipartProducer

        made = MultipartProducer(files, form)
        return made, made.kind
    if json_value is not None:
        text = json.dumps(json_value[0], ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return BytesProducer(text.encode()), b"application/json"
    if form is not None:
        return BytesProducer(encoded("form", form)), b"application/x-www-form-urlencoded"
    match body:
        case None:
            return None, None
        case str():
            return BytesProducer(body.encode()), b"text/plain; charset=utf-8"
        case bytes() | bytearray() | memoryview():
            return BytesProducer(bytes(body)), None
    if IBodyProducer.providedBy(body):
        return body, None
    if isinstance(body, Mapping):
        raise TypeError("a mapping is no body: give it as json, or as form")
    if hasattr(body, "read"):
        if hasattr(body, "encoding"):
            raise TypeError(f"a file is sent as bytes: open it as binary, open(..., 'rb'), not {body!r}")
        return FileBodyProducer(body), None
    if isinstance(body, AsyncIterable | Iterable):
        return IterableProducer(body), None
    raise TypeError(f"{type(body).__name__} cannot be sent: a body is bytes, text, a file, or gives bytes")
