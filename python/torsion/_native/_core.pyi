"""The native engine: what crosses between Python and Rust, typed and documented.

Every call that Rust makes into Python goes to one of the *owner* protocols below, to a protocol object
(``dataReceived``), to a producer (``pauseProducing``, ``resumeProducing``, ``stopProducing``), or is a callable that
was handed to :meth:`Engine.call_later` or :meth:`Engine.call_from_thread`.  Nothing else is ever called.

Objects of this module belong to their engine, and the engine to the thread that runs it.  While it runs, a call from
another thread raises :class:`torsion.internet.error.WrongThreadError`; only :meth:`Engine.call_from_thread`,
:meth:`Engine.wake` and :meth:`Engine.seconds` may be called from anywhere.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import GenericAlias
from typing import Any, ClassVar, Final, Protocol, Self, final

from typing_extensions import Buffer, disjoint_base  # always there for a type checker, and only that reads this file

__all__ = [
    "REASON_ABORTED",
    "REASON_DONE",
    "REASON_LOST",
    "REASON_OVERRUN",
    "REASON_RAISED",
    "REASON_TLS",
    "Connector",
    "Datagram",
    "Deferred",
    "DeferredAwaiter",
    "Engine",
    "Listener",
    "Stream",
    "TLSContext",
    "Timer",
    "Watch",
    "collect_fired",
    "ensureDeferred",
    "run_steps",
    "spawn",
    "succeed",
]

type SocketAddress = tuple[str, int] | tuple[str, int, int, int]
"""``(host, port)`` for IPv4, ``(host, port, flow information, scope id)`` for IPv6; the host is numeric."""

REASON_DONE: Final = 0
"""The connection ended in order: both sides have closed."""
REASON_LOST: Final = 1
"""The connection broke; the errno tells how."""
REASON_ABORTED: Final = 2
"""This side called :meth:`Stream.abortConnection`."""
REASON_RAISED: Final = 3
"""A hook raised; the reason handed on is what :meth:`StreamOwner.raised` returned."""
REASON_TLS: Final = 4
"""The connection was secured, and TLS failed; the reason handed on is ``(kind, message, details)``: a word, a sentence, and a
dict of what else is known, or None."""

REASON_OVERRUN: Final = 5
"""As REASON_DONE, but no byte came to go with a descriptor that was to be sent."""

class EngineOwner(Protocol):
    """The reactor that owns an engine."""

    def raised(self, source: object, exception: BaseException, /) -> object:
        """*exception* escaped from *source*, a timer's or a thread's callable: log it.  The loop goes on."""

class StreamOwner(Protocol):
    """What stands behind a stream: the adapter of the listener or connector that it came from."""

    def lost(self, stream: Stream, code: int, errno: int, reason: object, /) -> None:
        """*stream* is gone; called once, last.  *code* is a ``REASON_…``, *errno* is 0 or the system's error, *reason* is
        what :meth:`raised` returned, if a hook raised, or what TLS failed with."""
    def eof(self, stream: Stream, /) -> bool:
        """The peer closed its half and the protocol has a ``readConnectionLost``: deliver it and return true, or return
        false to have the connection closed."""
    def write_closed(self, stream: Stream, /) -> None:
        """Our half is shut down after :meth:`Stream.loseWriteConnection` and all was sent."""
    def raised(self, source: object, exception: BaseException, /) -> object:
        """A hook of this stream's protocol or producer raised *exception*: log it and return the reason (a Failure)
        that :meth:`lost` is to be given.  The connection is then aborted."""

class SecureStreamOwner(StreamOwner, Protocol):
    """What stands behind a stream for which :meth:`Stream.start_tls` is called."""

    def secured(self, stream: Stream, /) -> None:
        """The TLS handshake of *stream* is over.  What the peer has sent since is delivered only after this."""

class UnixStreamOwner(StreamOwner, Protocol):
    def passed(self, stream: Stream, descriptors: list[int], /) -> None:
        """Descriptors came over a Unix socket, and are the owner's now; bytes that they came with are delivered next. None
        at all: some came, and were closed, since the protocol had no ``fileDescriptorReceived`` when it was set."""

class ListenerOwner(StreamOwner, Protocol):
    def accepted(self, stream: Stream, address: Any, /) -> None:
        """A connection came in from *address*, as of :meth:`Stream.peer_address`.  Set ``stream.protocol``, or abort the stream."""
    def accept_failed(self, errno: int, /) -> None:
        """``accept`` failed with *errno*; said once until it works again.  The listener goes on."""

class ConnectorOwner(StreamOwner, Protocol):
    def connected(self, stream: Stream, /) -> None:
        """The connection stands.  Set ``stream.protocol``, or abort the stream."""
    def connect_failed(self, errno: int, /) -> None:
        """The connection could not be made."""

class WatchOwner(Protocol):
    """What stands behind a watch."""

    def ready(self, watch: Watch, readable: bool, writable: bool, /) -> None:
        """The descriptor is ready for what is wanted of it: to be read, written, or both, where an error or the other
        end's going counts as either.  Said once a turn for as long as it is so."""
    def watch_failed(self, watch: Watch, errno: int, /) -> None:
        """The descriptor cannot be watched any more, as *errno* tells: it was closed, say.  Nothing is wanted of it now."""
    def raised(self, source: object, exception: BaseException, /) -> object:
        """One of these raised *exception*: log it.  The watch goes on."""

class DatagramOwner(Protocol):
    """What stands behind a datagram socket."""

    def failed(self, errno: int, /) -> None:
        """The system has something to say of the socket: that the peer of a connected one refused a datagram, say; or that
        it is no socket any more, because somebody else has closed it.  It goes on, unless it is closed."""
    def unsent(self, address: tuple[str, int], errno: int, /) -> None:
        """An answer to *address* could not be sent, which showed after :meth:`Datagram.write`."""
    def raised(self, source: object, exception: BaseException, /) -> object:
        """A hook raised *exception*: log it.  The socket goes on."""

@final
class Timer:
    """A call in the future (``IDelayedCall``)."""

    func: Final[Callable[..., object] | None]
    args: Final[tuple[Any, ...] | None]
    kw: Final[dict[str, Any] | None]
    @property
    def time(self) -> float:
        """The same as :meth:`getTime`."""
    @property
    def called(self) -> bool:
        """Whether the call was made, or is being made."""
    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called in time."""
    def getTime(self) -> float:
        """Return the time at which the call is due, on the scale of :meth:`Engine.seconds`."""
    def cancel(self) -> None:
        """Do not make the call.  Raises ``AlreadyCalled`` or ``AlreadyCancelled``."""
    def delay(self, secondsLater: float) -> None:
        """Put the call off by *secondsLater* seconds.  Raises as :meth:`cancel`."""
    def reset(self, secondsFromNow: float) -> None:
        """Make the call in *secondsFromNow* seconds instead, at once if that is negative.  Raises as :meth:`cancel`."""
    def active(self) -> bool:
        """Return whether the call is still to come."""

@disjoint_base
class Deferred[T]:
    """The native twin of :class:`torsion.internet.defer.Deferred`, whose documentation is there.

    Hooks that a subclass, the class or an object replaces are called; where none is, nothing is looked up.
    """

    debug: ClassVar[bool]
    result: Any

    def __init__(self, canceller: Callable[[Deferred[Any]], object] | None = None) -> None: ...
    def __new__(cls, *_args: object, **_kwargs: object) -> Self:
        """Takes whatever a subclass's ``__init__`` does."""
    @property
    def called(self) -> bool: ...
    @property
    def paused(self) -> int: ...
    @property
    def callbacks(self) -> list[tuple[tuple[Any, tuple[Any, ...], Mapping[str, Any]], ...]]: ...
    def addCallbacks(
        self,
        callback: Callable[..., Any] | None,
        errback: Callable[..., Any] | None = None,
        callbackArgs: Iterable[Any] | None = (),
        callbackKeywords: Mapping[str, Any] | None = {},
        errbackArgs: Iterable[Any] | None = (),
        errbackKeywords: Mapping[str, Any] | None = {},
    ) -> Deferred[Any]: ...
    def addCallback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]: ...
    def addErrback(self, errback: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]: ...
    def addBoth(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]: ...
    def addTimeout(
        self, timeout: float, clock: Any, onTimeoutCancel: Callable[[Any, float], Any] | None = None
    ) -> Deferred[Any]: ...
    def chainDeferred(self, d: Deferred[Any]) -> Deferred[Any]: ...
    def callback(self, result: Any) -> None: ...
    def errback(self, fail: BaseException | None = None) -> None: ...
    def cancel(self, why: str | None = None) -> None: ...
    def pause(self) -> None: ...
    def unpause(self) -> None: ...
    def __await__(self) -> DeferredAwaiter: ...
    def __iter__(self) -> DeferredAwaiter: ...
    @classmethod
    def fromCoroutine(cls, coro: Any) -> Deferred[Any]: ...
    def asFuture(self, loop: Any) -> Any: ...
    @classmethod
    def fromFuture(cls, future: Any) -> Deferred[Any]: ...
    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@final
class DeferredAwaiter:
    """What ``await`` gets of a :class:`Deferred`: yields it if it has no result, and is then to be sent that."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any, /) -> Any: ...
    def throw(self, kind: Any, value: Any = None, traceback: Any = None, /) -> None: ...
    def close(self) -> None: ...

def succeed(result: Any) -> Deferred[Any]:
    """Return a Deferred that has fired with *result*."""

def ensureDeferred(coro: Any) -> Deferred[Any]:
    """Return a Deferred of what *coro* returns, or *coro* itself if it is one."""

def run_steps(steps: Any) -> Deferred[Any]:
    """Run *steps*, a coroutine or a generator; return a Deferred of what it returns."""

def collect_fired(deferreds: list[Any], results: list[Any], /) -> int:
    """Put (True, result) into *results* for each of *deferreds*, from the first one on, up to one that has none yet or is of
    another class; return how many there are."""

@disjoint_base
class Stream:
    """One connected byte stream (``ITCPTransport``, ``IConsumer``, ``IPushProducer``); made by the engine alone.

    Python has one subclass for each kind of stream, which carries the interface declarations and the rare methods.
    """

    def __new__(cls, engine: Engine) -> Self:
        """Raises :class:`TypeError` but for the engine, which calls this for each connection."""

    protocol: Any
    """The protocol that ``dataReceived`` is called on; read anew for each delivery."""
    @property
    def owner(self) -> StreamOwner: ...
    @property
    def connected(self) -> bool:
        """Whether the stream is not yet lost."""
    @property
    def disconnecting(self) -> bool:
        """Whether this side has asked for the end: ``loseConnection`` or ``abortConnection`` was called."""
    @property
    def disconnected(self) -> bool:
        """Whether ``lost`` was called."""
    @property
    def producer(self) -> Any: ...
    @property
    def streamingProducer(self) -> bool: ...
    def write(self, data: Buffer) -> None:
        """Queue *data* (bytes are kept by reference, other buffers are copied).  Never blocks, never raises for a dead
        peer; ignored once the stream is aborted, shut or lost.  Raises :class:`TypeError` for what is not a buffer of bytes."""
    def writeSequence(self, data: Iterable[Buffer]) -> None:
        """Queue each of *data*, as by :meth:`write`."""
    def loseConnection(self) -> None:
        """Close once everything is sent.  Nothing more is read; what is written until then is still sent.  A producer that
        was paused, or that is asked for each piece, is waited for until it is unregistered; one that is free to write is
        not, as it could do so for ever."""
    def abortConnection(self) -> None:
        """Close now; drop the outbox and reset the connection.  ``lost`` still arrives, later."""
    def loseWriteConnection(self) -> None:
        """Shut down our half once the outbox is empty; go on reading."""
    def pauseProducing(self) -> None:
        """Stop reading."""
    def resumeProducing(self) -> None:
        """Read again."""
    def stopProducing(self) -> None:
        """The same as :meth:`loseConnection`."""
    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* be told when to write.  Raises :class:`RuntimeError` while another one is registered."""
    def unregisterProducer(self) -> None:
        """Forget the producer; a close that waited for it goes on."""
    def stopReading(self) -> None:
        """The same as :meth:`pauseProducing`."""
    def startReading(self) -> None:
        """The same as :meth:`resumeProducing`."""
    @property
    def reading(self) -> bool:
        """Whether what comes in is delivered: it is not paused, at its end, or closing."""
    def set_high_water(self, size: int) -> None:
        """Have a streaming producer paused when more than *size* bytes wait to be sent."""
    def discard(self) -> None:
        """Close the descriptor and forget the connection, which somebody else has a duplicate of and goes on with.  Nobody
        is told, neither the peer nor the owner, and what waits to be sent is dropped."""
    def host_address(self) -> Any:
        """Return where this end is: a :data:`SocketAddress`; for a Unix socket its path or name, as ``bytes``, empty if it
        has none; for a pipe ``b""``."""
    def peer_address(self) -> Any:
        """Return where the other end is, as :meth:`host_address`."""
    def getTcpNoDelay(self) -> bool: ...
    def setTcpNoDelay(self, enabled: bool) -> None: ...
    def getTcpKeepAlive(self) -> bool: ...
    def setTcpKeepAlive(self, enabled: bool) -> None: ...
    def fileno(self) -> int:
        """Return the descriptor, or -1 once the stream is closed."""
    def start_tls(self, context: TLSContext, server_name: str | None = None, /) -> None:
        """Secure the stream, in the role of *context*: what was written so far is sent as it is, what is written from now on
        is encrypted, and what is read from now on has to be TLS.

        A client gives the server's name or numeric address, unless *context* checks no names.  Raises :class:`ValueError`
        for what is no name, :class:`RuntimeError` if TLS was started already or the stream is closing."""
    @property
    def secure(self) -> bool:
        """Whether TLS was started."""
    def divert(self, filter: Any, /) -> None:
        """From now on, and for good, have *filter* asked for what this stream is asked by the names that :class:`Bypass` has,
        ``stopProducing`` as ``loseConnection``; *disconnecting* is true as well if the filter's is.  What the engine delivers
        goes to *protocol* as ever.  Raises :class:`RuntimeError` if there is a divert already, or TLS was started natively."""
    @property
    def diverted(self) -> Any:
        """The filter, or None."""
    def bypass(self) -> Bypass:
        """Return what leads to the stream itself, whether there is a divert or not."""
    def negotiated_protocol(self) -> bytes | None:
        """Return the application protocol that was agreed on (ALPN, RFC 7301)."""
    def peer_certificates(self) -> list[bytes]:
        """Return the peer's certificates in DER, its own first; none before the handshake is over, or if it showed none."""
    def tls_version(self) -> int | None:
        """Return the version as on the wire: 0x0303 or 0x0304."""
    def tls_cipher(self) -> str | None:
        """Return the cipher suite's IANA name."""
    def tls_server_name(self) -> str | None:
        """Return the name that a client asked for (SNI, RFC 6066)."""
    def tls_resumed(self) -> bool:
        """Return whether an earlier session was taken up again."""
    def send_descriptor(self, fd: int) -> None:
        """Send a duplicate of the descriptor *fd* with the byte that is written next; *fd* may be closed at once. Not on
        Windows. Raises :class:`OSError` if it is not open or there is no descriptor left, :class:`TypeError` if the stream is
        no Unix socket."""
    def send_file(self, fd: int, offset: int, count: int) -> None:
        """Send *count* bytes of the file *fd* from *offset* on, behind what was written; a duplicate is kept, so *fd* may be
        closed at once.  If the file ends before, the connection is lost, with ENODATA. Not on Windows. Raises
        :class:`OSError` if it is not open or there is no descriptor left, :class:`ValueError` if it is no regular file,
        :class:`RuntimeError` if the stream is secured."""
    def statistics(self) -> dict[str, int]:
        """Return bytes_read, bytes_written and bytes_queued: on the wire, and what waits to be encrypted."""

@final
class Bypass:
    """A stream itself, under its divert: by the same names, and whatever else the stream has."""

    @property
    def disconnecting(self) -> bool:
        """Whether the stream itself was asked to end."""
    def write(self, data: Buffer) -> None: ...
    def writeSequence(self, data: Iterable[Buffer]) -> None: ...
    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...
    def loseWriteConnection(self) -> None: ...
    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def stopProducing(self) -> None: ...
    def registerProducer(self, producer: Any, streaming: bool) -> None: ...
    def unregisterProducer(self) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

@final
class TLSContext:
    """What connections that are secured alike share: certificates, roots, versions, and sessions to come back to.

    It belongs to no engine, and any number of streams may use it.  Both constructors raise :class:`ValueError` for what cannot
    be used, with a sentence that names it, and :class:`OSError` for a key log that cannot be written.
    """

    @staticmethod
    def server(
        *,
        chains: Sequence[tuple[Sequence[bytes], bytes]],
        names: Mapping[str, int] = ...,
        client_roots: Sequence[bytes] | None = ...,
        client_required: bool = ...,
        alpn: Sequence[bytes] = ...,
        versions: tuple[int, int] = ...,
        suites: Sequence[str] | None = ...,
        groups: Sequence[str] | None = ...,
        tickets: bool = ...,
        sessions: bool = ...,
        key_log: str | None = ...,
        handshake_timeout: float = ...,
    ) -> TLSContext:
        """Make a server's context.

        *chains*: certificates in DER, the server's own first, with its private key in DER (PKCS#8, PKCS#1 or SEC 1); the
        first chain is the default.  *names*: which chain answers to which name (SNI); ``*.`` stands for one label.
        *client_roots*: who may have issued clients' certificates; None to ask for none.  *client_required*: whether a
        client without one is refused.  *alpn*: application protocols, the preferred one first; a client that offers none of
        them, but others, is refused.  *versions*: the lowest and the highest.  *suites*, *groups*: by name, the preferred
        one first; None for all that are good.  *tickets*, *sessions*: whether clients may come back by a ticket, or by what
        is kept here.  *key_log*: a file to append all keys to, for debugging.  *handshake_timeout*: seconds."""
    @staticmethod
    def client(
        *,
        roots: Sequence[bytes] | None,
        verify: bool = ...,
        check_name: bool = ...,
        identity: tuple[Sequence[bytes], bytes] | None = ...,
        alpn: Sequence[bytes] = ...,
        versions: tuple[int, int] = ...,
        suites: Sequence[str] | None = ...,
        groups: Sequence[str] | None = ...,
        resumption: bool = ...,
        send_name: bool = ...,
        key_log: str | None = ...,
        handshake_timeout: float = ...,
    ) -> TLSContext:
        """Make a client's context.

        *roots*: who may have issued servers' certificates, in DER; a server that shows one of these very certificates is
        accepted as well.  None only without *verify*.  *verify*: whether certificates are looked at; *check_name*: whether
        the name in them is.  *identity*: what to show to a server that asks.  *resumption*: whether to come back to
        sessions.  *send_name*: whether to tell the server its name (SNI).  The rest is as for a server."""
    @property
    def is_client(self) -> bool: ...
    @staticmethod
    def suite_names() -> list[str]:
        """Return the names of the cipher suites that there are, the preferred one first."""
    @staticmethod
    def group_names() -> list[str]:
        """Return the names of the key exchange groups that there are, the preferred one first."""

class HTTPAnswer:
    """The answering half of a request to a server: one of the bases of a class of Python's.  See ``torsion.web.http``."""

    def setHeader(self, name: bytes | str, value: bytes | str) -> None:
        """Give a header of the response this one value."""
    def _answerAtOnce(self, body: bytes) -> bool:
        """Answer with *body* and finish, if nothing about that is unusual; returns whether it has."""

@final
class HTTPHead:
    """The head of a request or a response: all of its bytes, out of which objects are made when they are asked for."""

    @property
    def method(self) -> bytes | None:
        """The method; None in a response."""
    @property
    def target(self) -> bytes | None:
        """The target; None in a response."""
    @property
    def status(self) -> int | None:
        """The status code; None in a request."""
    @property
    def reason(self) -> bytes | None:
        """The reason phrase; None in a request."""
    @property
    def conditional(self) -> bool:
        """Whether there is a condition, or a part is asked for: fields called ``If-…``, and ``Range``."""
    @property
    def version(self) -> bytes:
        """``b"HTTP/1.1"`` or ``b"HTTP/1.0"``."""
    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        """Name and value of each field, in order."""
    @property
    def lower_fields(self) -> list[tuple[bytes, bytes]]:
        """The same, with names in lower case."""
    def values(self, name: bytes, /) -> list[bytes]:
        """Return the values of the fields called *name*, whatever its case."""
    @property
    def length(self) -> int | None:
        """How many bytes the body has; None if only its end tells."""
    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
    @property
    def persistent(self) -> bool:
        """Whether the connection may go on after this message: RFC 9112, 9.3."""
    @property
    def upgrade(self) -> bool:
        """Whether the peer asks for another protocol: RFC 9110, 7.8."""
    @property
    def expects_continue(self) -> bool:
        """Whether the peer waits for ``100 Continue`` before it sends the body: RFC 9110, 10.1.1."""

@final
class HTTPReader:
    """Reads the HTTP/1.1 messages of one connection, in one direction.  See ``torsion.wire.http1``."""

    def __new__(cls, server: bool, *, line: int, head: int, fields: int, extensions: int) -> Self:
        """Make a reader of requests, if *server*, or of responses.  The rest are limits: see ``torsion.wire.http1.Limits``."""
    def receive(self, data: Buffer, /) -> None:
        """Take bytes."""
    def end(self) -> bool:
        """Learn that the peer sends no more; returns whether that ends a message.  Raises :class:`ValueError` as :meth:`next`."""
    def next(self) -> HTTPHead | bytes | list[tuple[bytes, bytes]] | None:
        """Return the next head, data, or end of a message (its trailers); None if more bytes are needed.

        Raises :class:`ValueError`, whose arguments are words and the status code to answer with; the same from then on."""
    def serve(self, channel: Any, factory: type, /) -> HTTPHead | bytes | list[tuple[bytes, bytes]] | bool | None:
        """Have requests like most made by the class *factory*, and answered: those which ask nothing unusual, and have no body,
        or one of at most ``channel._keeps`` bytes.

        Each is put into the channel's ``requests``, and its ``process`` is called.  Returns what :meth:`next` would once that
        is something else, True once a request is not answered yet, the channel is closing, or others are to have their turn
        (:attr:`spent`), and False while a body is gathered whose request is made when it is complete."""
    def scatter(self) -> HTTPHead | None:
        """Gather no body: returns the head of the one that was gathered, if any; :meth:`next` gives what came of it."""
    def expect(self, head: bool, connect: bool, /) -> None:
        """Say that the next response is the answer to a HEAD, or to a CONNECT, or to neither."""
    def go_on(self) -> None:
        """Go on with HTTP after a request to switch that was not granted."""
    def finish(self) -> None:
        """Read no further message."""
    def take_rest(self) -> bytes:
        """Return the bytes that were not taken, and forget them."""
    def renew(self) -> None:
        """Begin to count anew: a new turn begins."""
    @property
    def ended(self) -> int:
        """How many messages have ended in this turn."""
    @property
    def spent(self) -> bool:
        """Whether so many have ended in this turn (32) that others are to have theirs, although there is more to read."""
    @property
    def kept(self) -> int:
        """How many bytes are kept."""
    @property
    def state(self) -> str:
        """What it waits for: "head", "body", "switch" (a decision), or nothing: "closed", "failed"."""

class HTTPReceiver:
    """The receiving half of a server's channel: one of the bases of a class of Python's.  See ``torsion.web.http``."""

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the client."""

@final
class HTTPWriter:
    """Writes the HTTP/1.1 messages of one connection, in one direction.

    What could be read as something else than was meant is refused with :class:`ValueError`, and nothing has changed then."""

    def __new__(cls) -> Self: ...
    def request(self, method: bytes, target: bytes, fields: list[tuple[bytes, bytes]], /) -> bytes:
        """Return a request's head.  Without Content-Length or Transfer-Encoding it has no body."""
    def response(
        self, status: int, reason: bytes, fields: list[tuple[bytes, bytes]], /, *, http10: bool, to_head: bool
    ) -> bytes:
        """Return a response's head, with the framing that its client understands."""
    def data(self, data: Buffer, /) -> bytes:
        """Return a part of the body, framed."""
    def end(self, trailers: list[tuple[bytes, bytes]] = ..., /) -> bytes:
        """Return what ends the message."""
    @property
    def busy(self) -> bool:
        """Whether a message was begun and not ended."""
    @property
    def until_close(self) -> bool:
        """Whether the message under way ends with the connection."""

class LineSender:
    """The sending half of a receiver of lines: a base of classes that have a transport and a delimiter.

    It has no state and cannot be made by itself, so it must not be the first of the bases.  The bytes are what ``transport.write(line + delimiter)`` would send,
    and that is called if *transport* is no :class:`Stream`, or one with another ``write``; else they are copied straight
    behind what is queued already.
    """

    transport: Any
    delimiter: bytes
    def sendLine(self, line: bytes) -> None:
        """Send *line*, to which the delimiter is added; both leave in one piece."""

@final
class LineDelivery:
    """The receiving half: cuts what a protocol is sent, keeps what is not delivered yet, and calls the hooks.

    A protocol is looked at anew for each line: hooks may change its ``delimiter``, ``MAX_LENGTH``, ``line_mode`` and
    ``paused``, and call all that is here.  What they raise is handed on; the next call goes on behind that line.
    """

    def __new__(cls) -> Self: ...
    def deliver(self, protocol: Any, data: Buffer, /) -> Any:
        """Deliver to a ``LineReceiver`` what *data* completes; from a hook, keep it only.  Returns what a hook returned, if
        that was true and delivery has stopped therefore, else None.  Raises :class:`ValueError` for an empty delimiter."""
    def deliver_only_lines(self, protocol: Any, data: Buffer, /) -> Any:
        """Deliver to a ``LineOnlyReceiver`` what *data* completes; from a hook, keep it only.  Returns what
        ``lineLengthExceeded`` returned, if that was true, else None.  Raises as :meth:`deliver`."""
    def take_rest(self) -> bytes:
        """Return all that is not delivered yet, and forget it."""

@final
class Listener:
    """A listening socket."""

    def address(self) -> Any:
        """Return where it listens, as :meth:`Stream.host_address`."""
    def fileno(self) -> int:
        """Return the descriptor, or -1 once closed."""
    def accepted(self) -> int:
        """Return how many connections it has accepted, without those that it turned away; 0 once closed."""
    def pause(self) -> None:
        """Accept nothing for now; the backlog fills."""
    def resume(self) -> None:
        """Accept again."""
    def close(self) -> None:
        """Close the socket; the owner hears no more of it.  Does nothing the second time."""

@final
class Connector:
    """A connection in the making."""

    def fileno(self) -> int:
        """Return the descriptor, or -1 once it is connected, failed or cancelled."""
    def cancel(self) -> None:
        """Give up; the owner hears no more of it."""

@final
class Watch:
    """A descriptor that is somebody else's: it is told when it can be read or written, and never closed here."""

    def fileno(self) -> int:
        """Return the descriptor."""
    def reading(self) -> bool:
        """Return whether reading is wanted."""
    def writing(self) -> bool:
        """Return whether writing is wanted."""
    def read(self, wanted: bool) -> None:
        """Begin or cease to tell when it can be read.  Raises :class:`OSError` where nothing was wanted before and the
        system does not take the descriptor.  One that is always ready, such as a regular file's, is told of in each turn."""
    def write(self, wanted: bool) -> None:
        """As :meth:`read`, for writing."""
    def close(self) -> None:
        """Forget the descriptor; the owner hears no more of it.  Does nothing the second time, nor does it matter whether
        the descriptor is still open or is another's by now."""

@final
class Datagram:
    """A datagram socket: UDP over IPv4 or IPv6, or Unix."""

    protocol: Any
    """The protocol that ``datagramReceived(data, address)`` is called on; read anew for each delivery.  *address* is
    ``(host, port)``; for a Unix socket its path, bytes for an abstract name, None for a socket without a name.  The protocol
    of a connected Unix socket is given *data* alone."""
    def write(self, datagram: Buffer, addr: Any = None) -> None:
        """Send *datagram* to *addr*, which is as in ``datagramReceived``, or to the peer of a connected socket.

        What the kernel has no room for is dropped, and so is what is written after :meth:`close`.  An answer, to the very
        address object that the ``datagramReceived`` on the stack was given, is sent together with those to other datagrams
        as soon as these are delivered, a quarter of a millisecond later at most if delivering takes its time.

        Raises ``MessageLengthError`` for what is too long, ``InvalidAddressError`` for an address that is not numeric or
        of the other family, :class:`ValueError` for none or another than the peer's, :class:`TypeError` for what is not a
        buffer of bytes, :class:`OSError` for what else the system says."""
    def connect(self, address: Any) -> None:
        """Exchange datagrams with *address* alone.  Raises as :meth:`write`."""
    def address(self) -> SocketAddress | bytes:
        """Return where it is bound; empty bytes for a Unix socket without a name."""
    def fileno(self) -> int:
        """Return the descriptor, or -1 once closed."""
    def pause(self) -> None:
        """Deliver nothing for now; the kernel keeps what it has room for."""
    def resume(self) -> None:
        """Deliver again, beginning with what came meanwhile."""
    def close(self) -> None:
        """Close the socket; nobody hears any more of it.  Does nothing the second time."""
    def statistics(self) -> dict[str, int]:
        """Return datagrams_read, bytes_read, datagrams_written, bytes_written, and datagrams_dropped: those that the kernel
        did not take and nobody was told of."""
    def broadcast(self) -> bool:
        """Return whether broadcasting is allowed."""
    def set_broadcast(self, allowed: bool) -> None: ...
    def join(self, group: str, interface: Any) -> None:
        """Receive what is sent to *group*; *interface* is a numeric address for IPv4, where ``0.0.0.0`` lets the system
        choose, and a number for IPv6, where 0 does.  Raises :class:`OSError`."""
    def leave(self, group: str, interface: Any) -> None:
        """Receive it no more.  Raises as :meth:`join`."""
    def multicast_interface(self) -> str | int:
        """Return by which interface multicast leaves, as :meth:`join` names it."""
    def set_multicast_interface(self, interface: Any) -> None: ...
    def multicast_loop(self) -> bool:
        """Return whether multicast that is sent here is received here as well."""
    def set_multicast_loop(self, enabled: bool) -> None: ...
    def multicast_ttl(self) -> int:
        """Return how many routers multicast may pass."""
    def set_multicast_ttl(self, ttl: int) -> None:
        """Raises :class:`OverflowError` unless *ttl* is from 0 to 255."""

@final
class Engine:
    """Poller, timers, transports and the queue of calls from other threads: one event loop's worth of state."""

    def __new__(cls, owner: EngineOwner, errors: Any = None) -> Self:
        """Make an engine for *owner*.  *errors* has the exceptions that programs are to catch, ``AlreadyCalled`` and
        ``AlreadyCancelled``, where these are not to be those of :mod:`torsion.internet.error`."""
    @property
    def running(self) -> bool:
        """Whether :meth:`run` or :meth:`turn` is on some thread's stack."""
    def serving(self) -> Any:
        """Return the stream whose hook is on the stack, or the owner of what else it is about: of the listener that a
        connection has come in at, of a connector, of a datagram socket.  None if nothing of the kind is being served, and
        in other threads."""
    def seconds(self) -> float:
        """Return the time: seconds since the epoch at the engine's start, and from there on by the monotonic clock."""
    def call_later(self, delay: float, callable: Callable[..., object], /, *args: Any, **kw: Any) -> Timer:
        """Call *callable* in *delay* seconds; calls due at the same time go in the order of asking.
        Raises :class:`ValueError` for a negative or not finite delay, :class:`TypeError` for what cannot be called."""
    def delayed_calls(self) -> list[Timer]:
        """Return the timers that are still to come."""
    def streams(self) -> list[Stream]:
        """Return the streams that are open."""
    def next_deadline(self) -> float | None:
        """Return when the next turn is due at the latest, on the scale of :meth:`seconds`, or None: for the first timer, or for a
        listener that is short of descriptors and tries again."""
    def call_from_thread(self, callable: Callable[..., object], /, *args: Any, **kw: Any) -> None:
        """Call *callable* in the engine's thread, soon; calls of one thread stay in order.  Safe from any thread."""
    def wake(self) -> None:
        """End a wait that is going on, or else the next one.  Safe from any thread."""
    def wakeup_fileno(self) -> int:
        """Return a descriptor for ``signal.set_wakeup_fd``: a byte written to it wakes the engine; -1 where there is none."""
    def fileno(self) -> int:
        """Return the poller's descriptor, readable while :meth:`turn` would not have to wait; -1 where there is none."""
    def attach(self) -> None:
        """Let somebody else's loop, in this thread, take the turns: one whenever the descriptor is readable, which it also
        becomes when anything is asked for between turns, and one at :meth:`next_deadline` as it stands after each turn.
        Other threads are refused between turns, too."""
    def detach(self) -> None:
        """End what :meth:`attach` began."""
    def abandon(self, always: bool = False, /) -> None:
        """In a process that was forked off: close its copies of the descriptors, tell nobody, and forget everything; whatever
        is asked of the engine afterwards raises :class:`torsion.internet.error.WrongProcessError`, and a turn that is going
        on ends with that.  The process that made the engine notices nothing; there, this does nothing, unless *always*: then
        it closes as quietly, for one that ends while a process that was forked off goes on with what is open."""
    def run(self) -> None:
        """Take turns until :meth:`stop`.  Raises what a Python signal handler raises."""
    def stop(self) -> None:
        """End :meth:`run` after the turn that is going on."""
    def turn(self, timeout: float | None = ..., /) -> None:
        """Take one turn: calls from threads, timers, then input and output, waiting for these at most *timeout* seconds
        (None: until something happens; 0 unless it is given)."""
    def listen(
        self,
        address: SocketAddress,
        backlog: int,
        owner: ListenerOwner,
        streams: type[Stream],
        /,
        *,
        reuse_port: bool = False,
    ) -> Listener:
        """Listen on *address*; each connection becomes a *streams*.  With *reuse_port*, others that say so may listen there
        as well, and the system divides the connections among them.  Raises :class:`OSError`."""
    def listen_unix(
        self, path: bytes, backlog: int, mode: int, owner: ListenerOwner, streams: type[Stream], /
    ) -> Listener:
        """As :meth:`listen`, on a Unix socket that is made at *path* with the permissions *mode*, or has the name that
        follows a NUL. The path is not removed when the listener is closed. Not on Windows."""
    def connect_unix(self, path: bytes, owner: ConnectorOwner, streams: type[Stream], /) -> Connector:
        """As :meth:`connect`, to a Unix socket; a full queue is waited for. Not on Windows."""
    def adopt_listener(self, fd: int, owner: ListenerOwner, streams: type[Stream], /) -> Listener:
        """As :meth:`listen`, on a duplicate of *fd*, a socket that listens already. Not on Windows."""
    def adopt_stream(self, fd: int, owner: StreamOwner, streams: type[Stream], /) -> Stream:
        """Make a *streams* of a duplicate of *fd*, a connected socket; nothing is read before this returns. Closing it ends
        the connection for all who hold the socket. Not on Windows. Raises :class:`OSError`."""
    def connect(
        self,
        address: SocketAddress,
        bind: SocketAddress | None,
        owner: ConnectorOwner,
        streams: type[Stream],
        /,
        *,
        reuse_port: bool = False,
    ) -> Connector:
        """Start to connect to *address*, from *bind*, which with *reuse_port* others may use as well.  Raises :class:`OSError` where that fails at once; the outcome never
        arrives before this returns."""
    def bind_datagram(
        self, address: SocketAddress | bytes, reuse: bool, room: int, owner: DatagramOwner, /
    ) -> Datagram:
        """Bind a datagram socket to *address*, to a Unix path, or to nothing (empty bytes); with *reuse*, others that ask
        for it as well may bind the same.  No more than *room* bytes of a datagram are delivered.  Raises :class:`OSError`."""
    def adopt_datagram(self, fd: int, room: int, owner: DatagramOwner, /) -> Datagram:
        """Take over the datagram socket *fd*, which is the engine's from now on, whatever comes of it.  Raises
        :class:`OSError`, also for what is no datagram socket."""
    def watch(self, descriptor: int, owner: WatchOwner, /) -> Watch:
        """Make a watch of *descriptor*, of which nothing is wanted yet."""
    def open_pipe(self, fd: int, reading: bool, writing: bool, owner: StreamOwner, streams: type[Stream], /) -> Stream:
        """Make a *streams* of a pipe, FIFO, terminal or any other descriptor that can be waited for, used for *reading*, for
        *writing* or both; not on Windows.

        The descriptor becomes the engine's, is made non-blocking (for all who share it) and is closed with the stream. A
        stream that only reads takes no bytes, and is done when the last writer is gone. One that only writes is lost, with
        EPIPE, when the last reader is gone. A terminal whose other end is gone is at its end. Nothing is read before this
        returns. Raises :class:`OSError`, such as EPERM for a regular file, and leaves the descriptor to the caller then."""
    def on_tick(self, callable: Callable[[float, float, int], object] | None, /) -> None:
        """Call *callable* after each turn with the seconds that it waited, the seconds that all else in it took, and how many
        descriptors were ready; None: call nothing more, and measure nothing.  A turn within another one is part of that.
        What it raises is the owner's to log; it is called again after the next turn."""
    def statistics(self) -> dict[str, int]:
        """Return turns, waits, timers, descriptors, streams_opened and streams_closed."""
    def connections(self, owner: object = None, /) -> list[tuple[Stream, float, int, int, int]]:
        """Return of each stream of *owner*, or of all for None: itself, when it was opened (as :meth:`seconds`), and how many bytes
        were read, were written, and wait to be written."""
    def holdings(self) -> dict[str, int]:
        """Return connections, connecting, listeners, datagrams, pipes and watched: how many descriptors of each sort there are."""
    def beat(self) -> int | None:
        """Return a number that is another one for each timer, call and descriptor that is served; None while the engine waits or does
        not run.  For any thread, to see whether one of these takes long."""
    def pulse(self) -> dict[str, Any]:
        """Return now, turns, waits, busy, longest, histogram, timers, opened and closed, as
        :class:`torsion.internet.interfaces.LoopFigures` has them.  Begins a new measure of *longest*."""
    def close(self) -> None:
        """Close every descriptor; streams are lost as aborted, at once.  Timers and calls from threads stay, and the engine
        may be used again afterwards."""

def spawn(
    programs: Sequence[bytes],
    arguments: Sequence[bytes],
    environment: Sequence[bytes],
    directory: bytes | None,
    descriptors: Sequence[tuple[int, int]],
    *,
    session: bool = ...,
    terminal: int | None = ...,
    user: int | None = ...,
    group: int | None = ...,
    groups: Sequence[int] | None = ...,
) -> tuple[int, int, int]:
    """Start a process: the first of *programs* (paths) that can be run, with *arguments* (its own name is the first of
    them), the variables *environment* (each ``NAME=value``), in *directory*.

    *descriptors* are pairs ``(number in the child, descriptor of ours)``; all others are closed in the child.  With
    *session* it leads a session of its own, whose terminal is the child's descriptor *terminal*.  *user*, *group* and
    *groups* are what it becomes.  Signals have their default meaning in there, and none is held back.

    Returns the process's number; a descriptor that becomes readable when it is over and is the caller's to close, -1 where
    the system has none; and the errno that kept it from running a program, 0 for none.  In that case it exits with status 1
    all the same, and is to be waited for.  A child that becomes another user cannot report that errno.
    Raises :class:`OSError` if there cannot be another process, :class:`ValueError` for a null byte, a negative descriptor or no
    program.  Unix only.
    """
