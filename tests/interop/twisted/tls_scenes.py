"""Scenes with TLS that are played under one reactor or another, and what the two ends were told; see ``test_divert.py``.

``python tls_scenes.py REACTOR FILE`` plays all of them, in a process of its own since Twisted's TLS layer takes the time from
the installed reactor, and prints a JSON object.  FILE is a certificate with its key.
"""

from __future__ import annotations

import importlib
import json
import pickle
import sys
import warnings
from typing import Any

from twisted.internet import defer, protocol
from zope.interface import implementer

SCENES: dict[str, Any] = {}
BLOCK = b"0123456789abcdef" * 4096


def scene(function: Any) -> Any:
    SCENES[function.__name__] = function
    return function


class End(protocol.Protocol):
    """One end of a connection."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage, self.name = stage, name
        self.told: list[Any] = []
        self.data = b""
        self.made: defer.Deferred[None] = defer.Deferred()
        self.ended: defer.Deferred[None] = defer.Deferred()
        self.waits: list[tuple[bytes, defer.Deferred[None]]] = []

    def connectionMade(self) -> None:
        self.told.append("made")
        self.made.callback(None)

    def until(self, data: bytes) -> defer.Deferred[None]:
        """Fire once what was received ends in *data*."""
        waiting: defer.Deferred[None] = defer.Deferred()
        self.waits.append((data, waiting))
        self.dataReceived(b"")
        return waiting

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        ready = [each for each in self.waits if self.data.endswith(each[0])]
        self.waits = [each for each in self.waits if each not in ready]
        for _, waiting in ready:
            waiting.callback(None)

    def connectionLost(self, reason: Any = protocol.connectionDone) -> None:
        self.told.append(f"lost: {type(reason.value).__name__}")
        self.ended.callback(None)

    def note(self, *what: Any) -> None:
        self.told.append(" ".join(map(str, what)))


@implementer(importlib.import_module("twisted.internet.interfaces").IHalfCloseableProtocol)
class Halves(End):
    """One that lives on with half a connection."""

    def readConnectionLost(self) -> None:
        self.told.append("read lost")
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        self.told.append("write lost")


class Stage:
    """Two ends, and settings for them."""

    def __init__(self, reactor: Any, pem: str) -> None:
        from twisted.internet import ssl

        self.reactor, self.ssl, self.path = reactor, ssl, pem
        with open(pem, encoding="ascii") as file:
            self.identity = ssl.PrivateCertificate.loadPEM(file.read())
        self.options = self.identity.options()
        self.trusting = ssl.optionsForClientTLS("server.example", trustRoot=ssl.Certificate(self.identity.original))
        self.ends: list[End] = []

    @defer.inlineCallbacks
    def meet(self, kind: type[End] = End, listen: Any = None, connect: Any = None, protocols: Any = None) -> Any:
        """Connect two ends, securely if there are settings; returns them, the server first."""
        server, client = kind(self, "server"), kind(self, "client")
        self.ends = [server, client]
        factories = [protocol.Factory(), protocol.ClientFactory()]
        for factory, end in zip(factories, self.ends, strict=True):
            factory.noisy = False
            factory.buildProtocol = lambda _address, end=end: end
        reactor = self.reactor
        if listen is None:
            self.port = reactor.listenTCP(0, factories[0], interface="127.0.0.1")
            reactor.connectTCP("127.0.0.1", self.port.getHost().port, factories[1])
        else:
            self.port = reactor.listenSSL(0, factories[0], listen, interface="127.0.0.1")
            reactor.connectSSL("127.0.0.1", self.port.getHost().port, factories[1], connect)
        yield defer.gatherResults([server.made, client.made])
        return server, client

    @defer.inlineCallbacks
    def part(self) -> Any:
        """Wait for the end of both, and return what they were told."""
        yield defer.gatherResults([end.ended for end in self.ends])
        yield self.port.stopListening()
        return {
            end.name: [*end.told, len(end.data), end.data[:8].decode(), end.data[-8:].decode()] for end in self.ends
        }


@scene
def server_and_client(stage: Stage, server: End, client: End) -> Any:
    server.transport.startTLS(stage.options)
    client.transport.startTLS(stage.trusting)
    client.transport.write(b"question")
    yield server.until(b"question")
    server.transport.write(b"answer")
    server.transport.loseConnection()


@scene
def roles_turned_round(stage: Stage, server: End, client: End) -> Any:
    server.transport.startTLS(stage.trusting, normal=False)
    client.transport.startTLS(stage.options, normal=False)
    server.transport.write(b"question")
    yield client.until(b"question")
    server.note(server.transport.getPeerCertificate().get_subject().CN)
    client.transport.loseConnection()


@scene
def plain_bytes_first_and_in_order(stage: Stage, server: End, client: End) -> Any:
    server.transport.writeSequence([BLOCK] * 40 + [b"plain end"])
    server.transport.startTLS(stage.options)
    server.transport.write(b"secret, ")
    server.transport.writeSequence([BLOCK, b"secret end"])
    yield client.until(b"plain end")
    client.transport.startTLS(stage.trusting)
    yield client.until(b"secret end")
    client.transport.loseConnection()


class Pushes:
    """A producer of so many blocks, that stops while it is told to."""

    def __init__(self, end: End, count: int) -> None:
        self.end, self.left, self.paused = end, count, False
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False
        while self.left and not self.paused:
            self.left -= 1
            self.end.transport.write(BLOCK if self.left else BLOCK + b"all of it")
            if not self.left:
                self.end.transport.unregisterProducer()
                self.end.transport.loseConnection()

    def stopProducing(self) -> None:
        self.end.note("stop")


class Pulled(Pushes):
    """A producer that is asked for each block."""

    def resumeProducing(self) -> None:
        if self.left:
            self.left -= 1
            self.end.transport.write(BLOCK if self.left else BLOCK + b"all of it")
            if not self.left:
                self.end.transport.unregisterProducer()
                self.end.transport.loseConnection()


@scene
def a_streaming_producer_that_was_registered_before(stage: Stage, server: End, client: End) -> Any:
    producer = Pushes(server, 30)
    server.transport.registerProducer(producer, True)
    server.transport.startTLS(stage.options)
    client.transport.startTLS(stage.trusting)
    client.transport.write(b"go")
    yield server.until(b"go")
    producer.resumeProducing()


@scene
def a_pull_producer_that_was_registered_before(stage: Stage, server: End, client: End) -> Any:
    client.transport.pauseProducing()
    server.transport.startTLS(stage.options)
    client.transport.startTLS(stage.trusting)
    server.transport.registerProducer(Pulled(server, 30), False)
    client.transport.resumeProducing()
    yield server.ended


@scene
def closed_while_hands_are_shaken(stage: Stage, server: End, client: End) -> Any:
    server.transport.startTLS(stage.options)
    server.transport.loseConnection()
    client.transport.startTLS(stage.trusting)
    yield server.ended


@scene
def closed_with_something_to_say_while_hands_are_shaken(stage: Stage, server: End, client: End) -> Any:
    server.transport.startTLS(stage.options)
    server.transport.write(b"last words")
    server.transport.loseConnection()
    client.transport.startTLS(stage.trusting)
    yield server.ended


@scene
def aborted_while_hands_are_shaken(stage: Stage, server: End, client: End) -> Any:
    server.transport.startTLS(stage.options)
    server.transport.write(b"nothing of this")
    server.transport.abortConnection()
    yield server.ended
    server.transport.write(b"nor of this")
    server.transport.loseConnection()


@scene
def aborted(stage: Stage, server: End, client: End) -> Any:
    server.transport.startTLS(stage.options)
    client.transport.startTLS(stage.trusting)
    client.transport.write(b"x")
    yield server.until(b"x")
    server.transport.abortConnection()


@scene
def a_peer_that_speaks_no_tls(stage: Stage, server: End, client: End) -> Any:
    server.transport.startTLS(stage.options)
    client.transport.write(b"GET / HTTP/1.0\r\n\r\n")
    yield server.ended
    client.data = b""  # an alert, whose bytes are OpenSSL's affair


@scene
def a_certificate_that_is_somebody_elses(stage: Stage, server: End, client: End) -> Any:
    options = stage.ssl.optionsForClientTLS("other.example", trustRoot=stage.ssl.Certificate(stage.identity.original))
    server.transport.startTLS(stage.options)
    client.transport.startTLS(options)
    yield client.ended


@scene
def application_protocols(stage: Stage, server: End, client: End) -> Any:
    server.transport.startTLS(stage.ssl.CertificateOptions(**_identity(stage), acceptableProtocols=[b"b", b"a"]))
    client.transport.startTLS(
        stage.ssl.optionsForClientTLS("server.example", **_trust(stage), acceptableProtocols=[b"a"])
    )
    client.transport.write(b"x")
    yield server.until(b"x")
    server.note(server.transport.getHandle().get_alpn_proto_negotiated())
    client.note(client.transport.getHandle().get_alpn_proto_negotiated())
    client.note(client.transport.getPeerCertificate().get_subject().CN, client.transport.TLS)
    server.note(server.transport.getPeerCertificate())
    client.transport.loseConnection()


def _identity(stage: Stage) -> Any:
    return {"privateKey": stage.identity.privateKey.original, "certificate": stage.identity.original}


def _trust(stage: Stage) -> Any:
    return {"trustRoot": stage.ssl.Certificate(stage.identity.original)}


class OnlyContexts:
    """Settings as they were in Twisted 2: a method that returns a context, and nothing else."""

    method = "SSLv23_METHOD"

    def __init__(self, path: str) -> None:
        self.path = path

    def getContext(self) -> Any:
        from OpenSSL import SSL

        context = SSL.Context(getattr(SSL, self.method))
        if self.path:
            context.use_certificate_file(self.path)
            context.use_privatekey_file(self.path)
        return context


@scene
def settings_with_get_context_only(stage: Stage, server: End, client: End) -> Any:
    server.transport.startTLS(pickle.loads(pickle.dumps(OnlyContexts(stage.path))))
    client.transport.startTLS(pickle.loads(pickle.dumps(OnlyContexts(""))))
    client.transport.write(b"x")
    yield server.until(b"x")
    server.transport.loseConnection()


@scene
def settings_by_the_names_of_files(stage: Stage, server: End, client: End) -> Any:
    ssl = stage.ssl
    server.transport.startTLS(ssl.DefaultOpenSSLContextFactory(stage.path, stage.path))
    client.transport.startTLS(ssl.ClientContextFactory())
    client.transport.write(b"x")
    yield server.until(b"x")
    server.transport.loseConnection()


@scene
def settings_that_are_none(stage: Stage, server: End, client: End) -> Any:
    try:
        server.transport.startTLS(object())
    except Exception as wrong:
        server.note(type(wrong).__name__)
    client.transport.loseConnection()
    yield server.ended


@scene
def half_of_it_closed(stage: Stage, server: End, client: End) -> Any:
    server.transport.startTLS(stage.options)
    client.transport.startTLS(stage.trusting)
    client.transport.write(b"x")
    yield server.until(b"x")
    server.transport.write(b"y")
    yield client.until(b"y")
    server.transport.loseWriteConnection()


half_of_it_closed.kind = Halves


@scene
def secure_from_the_beginning(stage: Stage, server: End, client: End) -> Any:
    client.transport.write(b"question")
    yield server.until(b"question")
    server.transport.write(BLOCK * 20 + b"answer")
    server.transport.loseConnection()


secure_from_the_beginning.settings = lambda stage: (stage.options, stage.trusting)


def _play(reactor: Any, path: str, kind: Any) -> Any:
    stage = Stage(reactor, path)
    listen, connect = getattr(kind, "settings", lambda _stage: (None, None))(stage)

    @defer.inlineCallbacks
    def play() -> Any:
        server, client = yield stage.meet(getattr(kind, "kind", End), listen, connect)
        before = server.transport, type(server.transport)
        yield defer.inlineCallbacks(kind)(stage, server, client)
        server.note((server.transport, type(server.transport)) == before)
        return (yield stage.part())

    playing = play()
    playing.addTimeout(8, reactor, lambda _result, _seconds: {end.name: [*end.told, "hangs"] for end in stage.ends})
    return playing


def main(name: str, path: str) -> None:
    warnings.simplefilter("ignore")
    module = importlib.import_module(name)
    module.install()
    from twisted.internet import reactor

    seen: dict[str, Any] = {}

    @defer.inlineCallbacks
    def play() -> Any:
        for title, kind in SCENES.items():
            try:
                seen[title] = yield _play(reactor, path, kind)
            except Exception as wrong:
                seen[title] = repr(wrong)
        reactor.stop()

    reactor.callWhenRunning(play)
    reactor.run()
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
