"""Compressed bodies are asked for, and undone on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from zope.interface import implementer

from torsion.internet.interfaces import IPushProducer
from torsion.internet.protocol import Protocol
from torsion.python.failure import Failure
from torsion.web.client.decoders import (
    Brotli,
    Decompressor,
    Deflate,
    Gzip,
    Zstandard,
    has_brotli,
    has_zstandard,
)
from torsion.web.client.errors import BadResponse, DecompressionBomb, ResponseDone, ResponseFailed
from torsion.web.http_headers import Headers
from torsion.web.iweb import UNKNOWN_LENGTH, IAgent, IResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torsion.internet.defer import Deferred

__all__ = [
    "BrotliDecoder",
    "ContentDecoderAgent",
    "DeflateDecoder",
    "GzipDecoder",
    "ZstandardDecoder",
    "standardDecoders",
]

FREE = 16 * 1024 * 1024
"""So many bytes may be made of anything: memory for them is there."""

RATIO = 200
"""How many times larger than it was compressed may a body be that is larger than :data:`FREE`.  Text and logs stay below 30,
and what is sent to fill a memory up is above 1,000."""

MOST_CODINGS = 4
"""How many compressions, one inside the other, are undone: more than one is rare, and each may be a bomb."""


@implementer(IResponse)
class _Decoded:
    """A response whose body is decompressed; all else is the response's."""

    length = UNKNOWN_LENGTH
    decompressor: ClassVar[Callable[[], Decompressor]]

    def __init__(self, response: Any) -> None:
        """Decompress the body of *response*."""
        self.original = response

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)

    def deliverBody(self, protocol: Any) -> None:
        """Deliver the body to *protocol*: see :meth:`Response.deliverBody`.

        Its ``connectionLost`` is called with a :class:`ResponseFailed` as well if the body is no such data, or stops in the
        middle of it, or becomes too large.
        """
        self.original.deliverBody(_Decoding(type(self).decompressor(), protocol, self.original))

    def setPreviousResponse(self, response: Any) -> None:
        """Set ``previousResponse``."""
        self.original.setPreviousResponse(response)


class GzipDecoder(_Decoded):
    """A response whose body was compressed by gzip."""

    decompressor = Gzip


class DeflateDecoder(_Decoded):
    """A response whose body was compressed by deflate."""

    decompressor = Deflate


class BrotliDecoder(_Decoded):
    """A response whose body was compressed by Brotli: it needs the package ``brotli``."""

    decompressor = Brotli


class ZstandardDecoder(_Decoded):
    """A response whose body was compressed by Zstandard: it needs the package ``zstandard``."""

    decompressor = Zstandard


def standardDecoders() -> list[tuple[bytes, type[Any]]]:
    """Return the decoders that can be used here, the preferred one first, for :class:`ContentDecoderAgent`."""
    found: list[tuple[bytes, type[Any]]] = []
    if has_zstandard():
        found.append((b"zstd", ZstandardDecoder))
    if has_brotli():
        found.append((b"br", BrotliDecoder))
    return [*found, (b"gzip", GzipDecoder), (b"deflate", DeflateDecoder)]


def accepted(decoders: Sequence[tuple[bytes, Any]]) -> bytes:
    """Return what Accept-Encoding says of *decoders*."""
    return b",".join(name for name, _ in decoders)


@implementer(IPushProducer)
class _Decoding(Protocol):
    """Stands between a compressed body and whom it is for, to whom it is the transport."""

    def __init__(self, inside: Decompressor, protocol: Any, response: Any) -> None:
        self._inside = inside
        self._protocol = protocol
        self._response = response
        self._came = 0
        self._made = 0
        self._paused = False
        self._running = False
        self._end: Failure | None = None

    def connectionMade(self) -> None:
        self._protocol.makeConnection(self)

    def dataReceived(self, data: bytes) -> None:
        if self._protocol is not None:
            self._came += len(data)
            self._inside.feed(data)
            self._run()

    def connectionLost(self, reason: Failure = Failure(ResponseDone())) -> None:  # noqa: B008 - one for all: it is not changed
        self._end = reason
        self._run()

    def _run(self) -> None:
        """Hand on what there is, as far as it is wanted, and the end behind it."""
        if self._running:
            return
        self._running = True
        try:
            while not self._paused and self._protocol is not None:
                try:
                    made = self._inside.step()
                except Exception:  # noqa: BLE001 - each library has errors of its own
                    self._break(Failure())
                    return
                if not made:
                    break
                self._made += len(made)
                if self._made > FREE and self._made > RATIO * self._came:
                    words = f"{self._came} bytes became more than {self._made}: they are not decompressed any further"
                    self._break(Failure(DecompressionBomb(words)))
                    return
                self._protocol.dataReceived(made)
        finally:
            self._running = False
        if not self._paused and self._end is not None:
            self._finish(self._end)

    def _finish(self, reason: Failure) -> None:
        protocol, self._protocol = self._protocol, None
        if protocol is None:
            return
        if reason.check(ResponseDone) and not self._inside.whole:
            cut = Failure(BadResponse("the compressed body stops in the middle"))
            reason = Failure(ResponseFailed([reason, cut], self._response))
        protocol.connectionLost(reason)

    def _break(self, why: Failure) -> None:
        protocol, self._protocol = self._protocol, None
        self.transport.stopProducing()
        protocol.connectionLost(Failure(ResponseFailed([why], self._response)))

    # --- as a transport ----------------------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        self._paused = False
        self._run()
        if not self._paused and self._end is None:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        self._paused = False
        self.transport.stopProducing()

    loseConnection = stopProducing

    def abortConnection(self) -> None:
        self.stopProducing()


@implementer(IAgent)
class ContentDecoderAgent:
    """Asks for compressed bodies, and decompresses them."""

    _adds = True
    """Whether Accept-Encoding is one more header if the program has one already."""

    def __init__(self, agent: Any, decoders: Sequence[tuple[bytes, Any]]) -> None:
        """Decompress what another agent is given.

        :param agent: the agent.
        :param decoders: names of codings, the preferred one first, each with what is called with a response and returns the
            one to give on, such as :class:`GzipDecoder`; :func:`standardDecoders` returns those that there are.
        """
        self._agent = agent
        self._decoders = dict(decoders)
        self._accepted = accepted(decoders)

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: Any = None
    ) -> Deferred[Any]:
        """Make a request: see :meth:`torsion.web.iweb.IAgent.request`."""
        if self._adds or headers is None or not headers.hasHeader(b"accept-encoding"):
            headers = Headers() if headers is None else headers.copy()
            headers.addRawHeader(b"accept-encoding", self._accepted)
        asked: Deferred[Any] = self._agent.request(method, uri, headers, bodyProducer)
        return asked.addCallback(self._decode)

    def _decode(self, response: Any) -> Any:
        values = response.headers.getRawHeaders(b"content-encoding")
        if not values:
            return response
        codings = [coding.strip() for coding in b",".join(values).split(b",")]
        if len(codings) > MOST_CODINGS:
            discard = getattr(response, "discard", None)
            if discard is not None:
                discard()
            many = BadResponse(f"the body is compressed {len(codings)} times, and at most {MOST_CODINGS} are undone")
            raise ResponseFailed([Failure(many)], response)
        while codings:
            decoder = self._decoders.get(codings[-1].lower())
            if decoder is None:
                break
            response = decoder(response)
            codings.pop()
        if codings:
            response.headers.setRawHeaders(b"content-encoding", [b",".join(codings)])
        else:
            response.headers.removeHeader(b"content-encoding")
        return response
