"""One server to be measured: `servers.py IMPLEMENTATION KIND PORT|PATH`.

IMPLEMENTATION: torsion, interop (stock Twisted on torsion's reactor), twisted, asyncio, uvloop.  KIND: echo, sink, close (as soon as accepted), lines.
"""

from __future__ import annotations

import sys
from importlib import import_module


def serve_twisted(package: str, kind: str, where: str) -> None:
    """Serve with the API that torsion and Twisted share."""
    if package == "interop":
        package = "twisted"
        import_module("torsion.interop.twisted").install()
    elif package == "twisted" and sys.platform == "linux":
        import_module("twisted.internet.epollreactor").install()
    protocol = import_module(f"{package}.internet.protocol")
    reactor = import_module(f"{package}.internet.reactor")

    class Echo(protocol.Protocol):
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data)

    class Sink(protocol.Protocol):
        def dataReceived(self, data: bytes) -> None:
            pass

    class Close(protocol.Protocol):
        def connectionMade(self) -> None:
            self.transport.loseConnection()

    kinds: dict[str, type] = {"echo": Echo, "sink": Sink, "close": Close}
    if kind == "lines":

        class Lines(import_module(f"{package}.protocols.basic").LineReceiver):
            def lineReceived(self, line: bytes) -> None:
                self.sendLine(line)

        kinds["lines"] = Lines
    factory = protocol.Factory.forProtocol(kinds[kind])
    if package == "twisted":
        factory.noisy = False
    if "/" in where:
        reactor.listenUNIX(where, factory, backlog=1024)
    else:
        reactor.listenTCP(int(where), factory, backlog=1024, interface="127.0.0.1")
    reactor.run()


def serve_asyncio(kind: str, where: str, *, uvloop: bool) -> None:
    """Serve with asyncio's protocols, on its own loop or on uvloop's."""
    import asyncio

    class Echo(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(data)  # type: ignore[attr-defined]

    class Sink(asyncio.Protocol):
        pass

    class Close(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transport.close()

    async def main() -> None:
        kinds = {"echo": Echo, "sink": Sink, "close": Close}
        loop = asyncio.get_running_loop()
        if "/" in where:
            server = await loop.create_unix_server(kinds[kind], where, backlog=1024)
        else:
            server = await loop.create_server(kinds[kind], "127.0.0.1", int(where), backlog=1024)
        await server.serve_forever()

    factory = import_module("uvloop").new_event_loop if uvloop else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


if __name__ == "__main__":
    implementation, what, where = sys.argv[1:]
    if implementation in {"torsion", "interop", "twisted"}:
        serve_twisted(implementation, what, where)
    elif what == "lines":
        sys.exit("asyncio has no line protocol of this kind")
    else:
        serve_asyncio(what, where, uvloop=implementation == "uvloop")
