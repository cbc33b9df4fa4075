"""TLS between any transport and any protocol, by way of OpenSSL and pieces of memory in place of a socket.

``OpenSSL.SSL.Connection`` is fed with what the transport delivers, and drained of what the transport is to send.  The
protocol's calls do the rest: its ``write`` is encrypted, and what comes out decrypted is its ``dataReceived``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from zope.interface import alsoProvides, directlyProvides, implementer, providedBy

from torsion.internet.error import ConnectionDone
from torsion.internet.interfaces.core import ILoggingContext
from torsion.internet.interfaces.protocol import IHalfCloseableProtocol
from torsion.internet.interfaces.stream import ISystemHandle, ITransport
from torsion.internet.interfaces.tls import IHandshakeListener, INegotiated
from torsion.internet.protocol.producers import ProducerMembrane, PullToPush
from torsion.internet.protocol.protocols import Protocol
from torsion.internet.protocol.wrapping import ProtocolWrapper
from torsion.internet.tls.errors import HandshakeInterrupted, HandshakeTimeout, TLSError, Truncated, make
from torsion.internet.tls.openssl import ssl_module
from torsion.internet.tls.opensslerrors import from_openssl, is_tls
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion.internet.interfaces.time import IDelayedCall

__all__ = ["CLOSE_TIMEOUT", "TLSMemoryBIOProtocol"]

_log = Logger()

CLOSE_TIMEOUT = 5.0
"""How many seconds ``loseConnection`` waits for the peer to close TLS as well.

A peer answers at once, or never: many programs just close the connection, and some hang.  All that was written has been
handed to the transport before the wait begins.
"""

_PIECE = 1 << 16  # bytes that go into OpenSSL, or come out of it, in one call: four records of the greatest length
_START = 64  # bytes that are kept of what a peer says first, to tell what it is if that is not TLS


Buffer: TypeAlias = bytes | bytearray | memoryview


def is_data(thing: object) -> bool:
    """Tell whether *thing* is bytes of some kind."""
    return isinstance(thing, (bytes, bytearray, memoryview))


def _failure(wrong: BaseException) -> Failure:
    # Without its traceback, whose frames lead back to the connection: it would live until the collector comes.
    return Failure(wrong.with_traceback(None))


@implementer(ISystemHandle, INegotiated, ITransport)
class TLSMemoryBIOProtocol(ProtocolWrapper):
    """The TLS layer of one connection: a protocol to the transport, and a transport to the wrapped protocol.

    Made by a :class:`TLSMemoryBIOFactory`.
    """

    acceptableProtocols: tuple[bytes, ...] = ()
    """Which application protocols the connection's factory can speak, if it says so."""

    _SSL: Any = None  # pyOpenSSL's module, which is loaded once there is a connection
    _tlsConnection: Any = None
    _producer: ProducerMembrane | None = None
    _reason: Failure | None = None
    _refusal: tuple[int, int, Any] | None = None
    _timer: IDelayedCall | None = None
    _delivery: IDelayedCall | None = None
    _start = b""
    _handshakeDone = False
    _writeBlockedOnRead = False
    _lostTLSConnection = False
    _closeSent = False
    _closeReceived = False
    _halfClosing = False
    _aborted = False
    _dropWhenSafe = False
    _paused = False
    _ending = False

    def __init__(self, factory: Any, wrappedProtocol: Any, _connectWrapped: bool = True) -> None:
        """Stand between a transport and a protocol.

        :param factory: the :class:`TLSMemoryBIOFactory`, which has the settings.
        :param wrappedProtocol: the protocol that is to speak through TLS.
        :param _connectWrapped: whether that is to be told of the connection (``makeConnection``); not if it has spoken
            plainly on it before.
        """
        ProtocolWrapper.__init__(self, factory, wrappedProtocol)
        self._connectWrapped = _connectWrapped
        self._unsent: list[bytes] = []

    # --- what the transport calls -------------------------------------------------------------------------------------

    def makeConnection(self, transport: Any) -> None:
        """Begin to speak TLS through *transport*, and be the wrapped protocol's.

        :raises ImportError: if pyOpenSSL is not installed; and whatever else the making of an OpenSSL connection raises.
        """
        directlyProvides(self, providedBy(transport))
        if IHalfCloseableProtocol.providedBy(self.wrappedProtocol):
            alsoProvides(self, IHalfCloseableProtocol)
        Protocol.makeConnection(self, transport)
        self.factory.registerProtocol(self)
        try:
            self._SSL = ssl_module()
            self._tlsConnection = self.factory._createConnection(self)
        except BaseException:
            self._lostTLSConnection = True  # there is none: the caller closes the connection
            raise
        limit = self.factory.handshakeTimeout
        if limit is not None:
            self._timer = self.factory._clock.callLater(limit, self._handshakeTimedOut, limit)
        if self._connectWrapped:
            self.wrappedProtocol.makeConnection(self)
        if not self._aborted:
            self._shakeHands()

    def dataReceived(self, bytes: bytes) -> None:
        """Take encrypted bytes, and hand what they contain to the wrapped protocol."""
        if self._lostTLSConnection:
            return
        self._tlsConnection.bio_write(bytes)
        if not self._handshakeDone:
            if len(self._start) < _START:
                self._start += bytes[: _START - len(self._start)]
            self._shakeHands()
            if not self._handshakeDone or self._lostTLSConnection:
                return
        if self._writeBlockedOnRead:
            self._sendUnsent()
        self._deliver()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # nobody calls it without
        """The transport is gone: tell the wrapped protocol, with what TLS knows of the reason."""
        self._cancelTimers()
        if not self._lostTLSConnection:
            reason = self._atEndOfTransport(reason)
        self._lostTLSConnection = True
        self.connected = False
        reason, self._reason = self._reason or reason, None
        producer, self._producer = self._producer, None
        if producer is not None and isinstance(producer._producer, PullToPush):
            producer._producer.stopStreaming()
        if self._tlsConnection is not None:
            self._tlsConnection.set_app_data(None)
        self._unsent.clear()
        ProtocolWrapper.connectionLost(self, reason)

    def _atEndOfTransport(self, reason: Failure) -> Failure:
        """Deliver what is left, and find out whether the end comes too early."""
        self._ending = True
        if self._handshakeDone and not self._aborted:
            try:
                self._deliver()
            except BaseException:  # noqa: BLE001 - there is no transport that could log it and close the connection
                reason = Failure()
                _log.failure("Unhandled error in {protocol!r}", reason, protocol=self.wrappedProtocol)
        if self._aborted or self._closeReceived or self._closeSent or not reason.check(ConnectionDone):
            return reason
        return _failure(make(Truncated if self._handshakeDone else HandshakeInterrupted))

    def readConnectionLost(self) -> None:
        """The transport delivers no more; only called if the wrapped protocol knows of half-closed connections."""
        if not self._closeReceived and not self._lostTLSConnection:
            wrong = make(Truncated if self._handshakeDone else HandshakeInterrupted)
            self._shutDown(None if self._closeSent else _failure(wrong))

    def writeConnectionLost(self) -> None:
        """The transport sends no more; only called if the wrapped protocol knows of half-closed connections."""

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this: the wrapped protocol's."""
        context = ILoggingContext(self.wrappedProtocol, None)
        name = type(self.wrappedProtocol).__name__ if context is None else context.logPrefix()
        return f"{name} (TLS)"

    # --- the handshake ------------------------------------------------------------------------------------------------

    def _shakeHands(self) -> None:
        """Go on with the handshake, as far as what has come allows."""
        SSL = self._SSL
        if not is_tls(self._start) and len(self._start) > 1:
            # OpenSSL takes some of these for records with odd lengths, and waits for the rest.
            self._fail(from_openssl(SSL.Error([]), self._start))
            return
        try:
            self._tlsConnection.do_handshake()
        except SSL.WantReadError:
            self._drain()
            self._dropIfAsked()
        except TLSError as wrong:  # raised in one of our callbacks; it may be one of OpenSSL's as well
            self._fail(wrong)
        except SSL.Error as wrong:
            self._fail(from_openssl(wrong, self._start, False, self._refusal))
        else:
            if self._dropIfAsked():
                return
            self._handshakeDone = True
            self._cancelTimers()
            self._drain()
            if IHandshakeListener.providedBy(self.wrappedProtocol) and not self._aborted:
                self.wrappedProtocol.handshakeCompleted()

    def _handshakeTimedOut(self, limit: float) -> None:
        self._timer = None
        wrong = make(
            HandshakeTimeout, f"The peer did not finish the TLS handshake within {limit:g} seconds", seconds=limit
        )
        self._reason = self._reason or _failure(wrong)
        self.abortConnection()

    def _cancelTimers(self) -> None:
        for call in (self._timer, self._delivery):
            if call is not None and call.active():
                call.cancel()
        self._timer = self._delivery = None

    def certificateRefused(self, number: int, depth: int, certificate: Any) -> None:
        """Be told what OpenSSL does not like about a certificate: the connection's error will tell."""
        self._refusal = number, depth, certificate

    def nameRefused(self, reason: Failure) -> None:
        """Be told that the peer's certificate is somebody else's: the handshake is about to fail because of it."""
        self._reason = reason

    def nameLookupFailed(self, wrong: BaseException) -> None:
        """Be told that no certificate could be found for the host that the peer asks for."""
        error = make(TLSError, f"No certificate could be chosen for the host that the peer asked for: {wrong}")
        self._reason = _failure(error)
        self._dropWhenSafe = True  # OpenSSL is still at work, further up the stack

    def _dropIfAsked(self) -> bool:
        if self._dropWhenSafe:
            self.abortConnection()
        return self._dropWhenSafe

    def failVerification(self, reason: Failure) -> None:
        """Give the connection up because the peer is not who it should be.

        To be called by connection creators, from OpenSSL's callbacks.

        :param reason: what the wrapped protocol's ``connectionLost`` is to be told.
        """
        self._reason = reason
        self.abortConnection()

    # --- from the transport to the protocol --------------------------------------------------------------------------

    def _deliver(self) -> None:
        """Hand decrypted data to the wrapped protocol, until there is no more of it or the protocol wants a pause.

        At the end of the connection it cannot have one: what is not delivered then is lost.
        """
        SSL = self._SSL
        while not (self._lostTLSConnection or self._closeReceived or self._aborted):
            if self._paused and not self._ending:
                break
            try:
                data = self._tlsConnection.recv(_PIECE)
            except SSL.WantReadError:
                break
            except SSL.ZeroReturnError:
                self._peerHasClosed()
            except SSL.Error as wrong:
                if self._closeSent and not self.connected:
                    break  # we had parted from the peer already
                self._fail(from_openssl(wrong, self._start, True, self._refusal))
            else:
                self.wrappedProtocol.dataReceived(data)
        self._drain()

    def _peerHasClosed(self) -> None:
        """The peer sends no more: part from it, unless the wrapped protocol knows how to live with that."""
        self._closeReceived = True
        if self._closeSent and not self._halfClosing:
            self._shutDown(None)
        elif IHalfCloseableProtocol.providedBy(self.wrappedProtocol):
            self.wrappedProtocol.readConnectionLost()
            if self._halfClosing and not self._lostTLSConnection:
                self._shutDown(None)  # neither side has any more to say
        else:
            self._closeTLS()

    def pauseProducing(self) -> None:
        """Deliver nothing for now, neither what the transport brings nor what is still to be decrypted."""
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Go on delivering, in the reactor's next turn."""
        if self._paused:
            self._paused = False
            if self._delivery is None and self._handshakeDone:
                self._delivery = self.factory._clock.callLater(0, self._deliverLeftovers)
        self.transport.resumeProducing()

    def _deliverLeftovers(self) -> None:
        self._delivery = None
        try:
            self._deliver()
        except BaseException:  # noqa: BLE001 - as a transport would: log it and close the connection
            self._reason = Failure()
            _log.failure("Unhandled error in {protocol!r}", self._reason, protocol=self.wrappedProtocol)
            self.abortConnection()

    def stopProducing(self) -> None:
        """Close the connection."""
        self.loseConnection()

    # --- from the protocol to the transport --------------------------------------------------------------------------

    def write(self, bytes: Buffer) -> None:
        """Encrypt and send bytes. Ignored once the connection is closing, unless a producer is registered.

        :raises TypeError: if they are not bytes.
        """
        if not is_data(bytes):
            raise TypeError(f"Must write bytes to a TLS transport, not {type(bytes).__name__}: encode text first")
        if not (self._halfClosing or (self.disconnecting and self._producer is None)):
            self._write(bytes)

    def writeSequence(self, iovec: Iterable[Buffer]) -> None:
        """Encrypt and send several pieces of bytes, in their order."""
        self.write(b"".join(iovec))

    def _write(self, data: Buffer) -> None:
        if self._lostTLSConnection or not data:
            return
        if self._writeBlockedOnRead:
            self._keep(bytes(data))
            return
        SSL = self._SSL
        view = memoryview(data)
        sent = 0
        while sent < len(view):
            try:
                sent += self._tlsConnection.send(bytes(view[sent : sent + _PIECE]))
            except SSL.WantReadError:
                self._writeBlockedOnRead = True
                self._drain()  # what we have to say first may be what the peer waits for
                self._keep(bytes(view[sent:]))
                return
            except SSL.Error as wrong:
                self._fail(from_openssl(wrong, self._start, self._handshakeDone, self._refusal))
                return
            self._drain()

    def _keep(self, data: bytes) -> None:
        """Remember what cannot be sent before the peer has said something: as a rule, during the handshake."""
        self._unsent.append(data)
        if self._producer is not None:
            self._producer.pauseProducing()

    def _sendUnsent(self) -> None:
        """Send what had to wait, then do what waited for that."""
        unsent, self._unsent = self._unsent, []
        self._writeBlockedOnRead = False
        if unsent:
            self._write(b"".join(unsent))
        if self._writeBlockedOnRead or self._lostTLSConnection:
            return
        if self._producer is not None:
            self._producer.resumeProducing()
        elif self.disconnecting:
            self._closeTLS()
        elif self._halfClosing:
            self._closeHalf()

    def _drain(self) -> None:
        """Give the transport what OpenSSL has to send."""
        SSL = self._SSL
        pieces = []
        try:
            while True:
                piece = self._tlsConnection.bio_read(_PIECE)
                pieces.append(piece)
                if len(piece) < _PIECE:
                    break
        except SSL.WantReadError:
            pass
        except SSL.Error:  # after a failure it may be that there is nothing to read any more
            pass
        if pieces and not self._aborted:
            self.transport.write(b"".join(pieces))

    # --- the end ------------------------------------------------------------------------------------------------------

    def _flushSmallWrites(self) -> None:
        """Send what a subclass keeps back."""

    def loseConnection(self) -> None:
        """Send what was written, close TLS, then close the connection.

        The peer has some seconds to close TLS on its side (:data:`CLOSE_TIMEOUT`); then the connection is closed anyhow.
        """
        if self.disconnecting or not self.connected:
            return
        self._flushSmallWrites()
        if not self._handshakeDone and not self._writeBlockedOnRead:
            # TLS cannot be closed before it is open; and since there is nothing to send, nobody is to wait for that.
            self.abortConnection()
            return
        self.disconnecting = True
        if not self._writeBlockedOnRead and self._producer is None:
            self._closeTLS()

    def loseWriteConnection(self) -> None:
        """Tell the peer that this end sends no more (``close_notify``), and go on receiving.

        The peer may take it for the end of the whole connection: before TLS 1.3 it had to (RFC 8446, 6.1).
        """
        if self.disconnecting or self._halfClosing or not self.connected:
            return
        self._flushSmallWrites()
        self._halfClosing = True
        if self._handshakeDone and not self._writeBlockedOnRead:
            self._closeHalf()
        else:
            self._writeBlockedOnRead = True  # the handshake is to be finished first

    def _closeHalf(self) -> None:
        self._sendClose()
        if IHalfCloseableProtocol.providedBy(self.wrappedProtocol):
            self.wrappedProtocol.writeConnectionLost()
        if self._closeReceived and not self._lostTLSConnection:
            self._shutDown(None)

    def _sendClose(self) -> None:
        """Send ``close_notify``, once."""
        if self._closeSent or self._lostTLSConnection:
            return
        self._flushSmallWrites()
        self._closeSent = True
        SSL = self._SSL
        try:
            self._tlsConnection.shutdown()
        except SSL.Error:
            pass  # TLS has failed already, or was never there: nothing to be sent
        self._drain()

    def _closeTLS(self) -> None:
        """Close TLS from our side; once the peer has done so as well, close the transport."""
        self._sendClose()
        if self._lostTLSConnection:
            return
        if self._closeReceived:
            self._shutDown(None)
        elif self._timer is None:
            self._timer = self.factory._clock.callLater(CLOSE_TIMEOUT, self._waitedLongEnough)

    def _waitedLongEnough(self) -> None:
        self._timer = None
        self._shutDown(None)

    def _fail(self, wrong: TLSError) -> None:
        self._shutDown(_failure(wrong))

    def _shutDown(self, reason: Failure | None) -> None:
        """TLS has come to its end: close the transport, which will call ``connectionLost``.

        :param reason: what went wrong; None if nothing did.
        """
        if self._lostTLSConnection:
            return
        self._reason = self._reason or reason
        self._drain()  # there may be an alert that tells the peer what went wrong
        self._lostTLSConnection = True
        self._cancelTimers()
        if self._producer is not None:
            # The transport would wait for it, while nothing that it makes can be sent any more.
            self._stopProducer()
        self.transport.loseConnection()

    def _stopProducer(self) -> None:
        producer, self._producer = self._producer, None
        self.transport.unregisterProducer()
        if producer is not None:
            producer.stopProducing()

    def abortConnection(self) -> None:
        """Close the connection at once, without closing TLS first and without sending what is still to be sent."""
        if self._aborted or not self.connected:
            return
        self._aborted = True
        self.disconnecting = True
        self._cancelTimers()
        if self._producer is not None:
            self._stopProducer()
        abort = getattr(self.transport, "abortConnection", None)
        if abort is not None:
            abort()
        else:
            self.transport.loseConnection()

    # --- producers ----------------------------------------------------------------------------------------------------

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* know from now on when to write.

        :raises RuntimeError: if another one is registered.
        """
        if self._lostTLSConnection:
            producer.stopProducing()
            return
        if self._producer is not None:
            raise RuntimeError(
                f"Cannot register {producer!r}: {self._producer._producer!r} is registered, unregister it first"
            )
        pulled = None if streaming else PullToPush(producer, self)
        membrane = ProducerMembrane(pulled or producer)
        self.transport.registerProducer(membrane, True)
        self._producer = membrane
        if pulled is not None:
            pulled.startStreaming()
        if self._writeBlockedOnRead:
            membrane.pauseProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer, which has nothing more to write. A closing that waited for it goes on."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        if isinstance(producer._producer, PullToPush):
            producer._producer.stopStreaming()
        self.transport.unregisterProducer()
        if self.disconnecting and not self._writeBlockedOnRead and not self._aborted:
            self._closeTLS()

    def stopConsuming(self) -> None:
        """Forget the producer and close the connection; for a producer that has no more to give."""
        self.unregisterProducer()
        self.loseConnection()

    # --- what is known of the connection -----------------------------------------------------------------------------

    def getHandle(self) -> Any:
        """Return the ``OpenSSL.SSL.Connection``."""
        return self._tlsConnection

    def getPeerCertificate(self) -> Any:
        """Return the peer's certificate (an ``OpenSSL.crypto.X509``), or None if it showed none."""
        return self._tlsConnection.get_peer_certificate()

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The application protocol that was agreed upon, or None: before the handshake is over, or if there is none."""
        if self._tlsConnection is None:
            return None
        return self._tlsConnection.get_alpn_proto_negotiated() or None
