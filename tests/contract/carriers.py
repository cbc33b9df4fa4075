"""Other carriers than TCP for what ``faultkit`` tries: Unix sockets, and TLS spoken by Python's own library."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from contract.faultkit import PATIENCE, Loop, Peer, collect
from contract.harness import descriptors
from unit.internet.tls.kit import HOST, server_certificate, stdlib_client


class UnixLoop(Loop):
    """Listens at paths."""

    def __init__(self, reactor: Any, folder: Path) -> None:
        super().__init__(reactor)
        self.folder = folder
        self.numbers = iter(range(100))

    def listen(self, factory: Any, **options: Any) -> Any:
        return self.reactor.listenUNIX(str(self.folder / f"{next(self.numbers)}"), factory, **options)

    def peer(self, port: Any) -> Peer:
        connected = socket.socket(socket.AF_UNIX)
        connected.settimeout(PATIENCE)
        connected.connect(port.getHost().name)
        self._peers.append(connected)
        return Peer(self, connected)


class SecureLoop(Loop):
    """Speaks TLS; while a test waits, its peers go on with their handshakes."""

    def listen(self, factory: Any, **options: Any) -> Any:
        options.setdefault("interface", "127.0.0.1")
        return self.reactor.listenSSL(0, factory, server_certificate().options(), **options)

    def peer(self, port: Any) -> Peer:
        connected: Any = SecureSocket(socket.create_connection(("127.0.0.1", port.getHost().port), PATIENCE))
        peer = Peer(self, connected)
        self._peers.append(connected)
        return peer

    def _pump(self) -> None:
        for each in self._peers:
            each.pump()  # type: ignore[attr-defined]

    def until(self, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        def pumped() -> object:
            self._pump()
            return condition()

        super().until(pumped, seconds)

    def turn(self, times: int = 3) -> None:
        for _ in range(times):
            self._pump()
            super().turn(1)
        self._pump()


class SecureSocket:
    """A non-blocking socket's methods, over TLS.  What is sent before the handshake is over waits for that."""

    def __init__(self, plain: socket.socket) -> None:
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = stdlib_client().wrap_bio(self._incoming, self._outgoing, server_hostname=HOST)
        self._todo: list[Callable[[], object]] = [self._tls.do_handshake]
        self._unsent = b""
        self._rude = False

    def pump(self) -> None:
        """Go on with what has been begun, as far as that goes without waiting."""
        if self._plain.fileno() >= 0:
            with suppress(ConnectionError):
                if self._todo:
                    self._hear()
                self._work()
                self._flush()

    def _hear(self) -> bool:
        """Take in what has come; tell whether anything has."""
        try:
            came = self._plain.recv(65536)
        except BlockingIOError:
            return False
        if came:
            self._incoming.write(came)
        else:
            self._incoming.write_eof()
        return bool(came)

    def _work(self) -> None:
        while self._todo:
            try:
                self._todo[0]()
            except ssl.SSLWantReadError:
                if getattr(self._todo[0], "__name__", "") == "unwrap":
                    del self._todo[0]  # ours is said
                    continue
                return
            except ssl.SSLError:
                self._todo.clear()
                return
            del self._todo[0]

    def _flush(self) -> None:
        self._unsent += self._outgoing.read()
        with suppress(BlockingIOError, ConnectionError):  # what the peer said before it went is still to be read
            self._unsent = self._unsent[self._plain.send(self._unsent) :]

    def send(self, data: bytes) -> int:
        if len(self._unsent) > 1_000_000:
            raise BlockingIOError
        self._todo.append(lambda: self._tls.write(data))
        self.pump()
        return len(data)

    def recv(self, count: int) -> bytes:
        while True:
            if not self._todo:
                try:
                    data = self._tls.read(count)
                except ssl.SSLWantReadError:
                    pass
                except (ssl.SSLEOFError, ssl.SSLZeroReturnError):  # without a farewell; after ours
                    return b""
                else:
                    if not data:
                        self.shutdown(socket.SHUT_WR)  # as who behaves well does
                    return data
            if not self._hear():
                if self._incoming.eof or self._plain.fileno() < 0:
                    return b""
                raise BlockingIOError
            self._work()
            self._flush()

    def shutdown(self, how: int) -> None:
        self._todo.append(self._tls.unwrap)
        self.pump()

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        self._rude |= option == socket.SO_LINGER
        self._plain.setsockopt(level, option, value)

    def close(self) -> None:
        """Close; with a farewell, unless it is to be a reset."""
        if not self._rude and self._plain.fileno() >= 0:
            self._todo.append(self._tls.unwrap)
            self.pump()
        self._plain.close()

    def version(self) -> str | None:
        """Return which version of TLS is spoken; None before the handshake is over."""
        return self._tls.version()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)


def started(make: Callable[[Any], Loop], reactor: Any) -> Iterator[Loop]:
    """Start *reactor* in the loop that *make* makes for it; for a fixture, as ``faultkit.loop`` is one."""
    before = descriptors()
    loop = make(reactor)
    del reactor
    loop.reactor.startRunning(installSignalHandlers=False)
    yield loop
    loop.close()
    del loop.reactor
    collect()
    left = descriptors() - before
    assert not left, left
