"""Stock Twisted's programs on torsion's reactor and on Twisted's own: `underneath.py PEER` prints one JSON object, CPU microseconds.

PEER: interop (stock Twisted on torsion's reactor), twisted (on its epoll reactor).

The same server code: an echo of 1 KiB over TCP, over TLS (Twisted's layer over pyOpenSSL) and by UDP, and a page of twisted.web's, where that is
installed. 64 connections ask in turns, 16 datagrams are under way; the figure is the processor time of the server for one answer.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from served import pinned

CONNECTIONS, DATAGRAMS, PASSES, SECONDS = 64, 16, 3, 0.3
PAYLOAD = b"x" * 1024
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
KINDS = {"echo": "echo 1 KiB", "tls": "TLS echo 1 KiB", "udp": "UDP echo 1 KiB", "web": "twisted.web, a page"}


def serve(peer: str, kind: str) -> None:
    """Serve, print the port, and run until killed."""
    pinned(0)
    if peer == "interop":
        from torsion.interop.twisted import install
    else:
        from twisted.internet.epollreactor import install
    install()
    from twisted.internet import protocol, reactor

    class Echo(protocol.Protocol):
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data)

    class Datagrams(protocol.DatagramProtocol):
        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            self.transport.write(datagram, addr)

    engine: Any = reactor
    where = {"interface": "127.0.0.1"}
    factory: Any = protocol.Factory.forProtocol(Echo)
    if kind == "web":
        from twisted.web import resource, server

        class Page(resource.Resource):
            isLeaf = True

            def render_GET(self, _request: Any) -> bytes:
                return b"hello"

        factory = server.Site(Page())
    factory.noisy = False
    if kind == "tls":
        from twisted.internet import ssl as tls

        name = tls.DistinguishedName(commonName="localhost")
        key = tls.KeyPair.generate(size=2048)
        signed = key.signRequestObject(name, key.requestObject(name), 1)
        options = tls.PrivateCertificate.fromCertificateAndKeyPair(signed, key).options()
        port = engine.listenSSL(0, factory, options, backlog=1024, **where)
    elif kind == "udp":
        port = engine.listenUDP(0, Datagrams(), **where)
    else:
        port = engine.listenTCP(0, factory, backlog=1024, **where)
    print(port.getHost().port, flush=True)
    engine.run()


def connections(kind: str, port: int) -> list[socket.socket]:
    """Return who asks."""
    if kind == "udp":
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asking.connect(("127.0.0.1", port))
        asking.settimeout(10)
        return [asking]
    made: list[socket.socket] = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(CONNECTIONS)]
    if kind == "tls":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        made = [context.wrap_socket(each) for each in made]
    return made


def ask(asking: list[socket.socket], kind: str) -> int:
    """Have all of them ask once, and wait for the answers; returns how many there were."""
    if kind == "udp":
        for _ in range(DATAGRAMS):
            asking[0].send(PAYLOAD)
        return sum(1 for _ in range(DATAGRAMS) if asking[0].recv(2048))
    for each in asking:
        each.sendall(REQUEST if kind == "web" else PAYLOAD)
    for each in asking:
        answer = b""
        while not (answer.endswith(b"\r\n\r\nhello") if kind == "web" else len(answer) == len(PAYLOAD)):
            answer += each.recv(4096)
    return len(asking)


def measure(peer: str, kind: str) -> float:
    """Return the microseconds that an answer costs."""
    with subprocess.Popen([sys.executable, __file__, peer, kind], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        tasks = Path(f"/proc/{server.pid}/task")

        def spent() -> int:
            return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())

        try:
            asking = connections(kind, int(server.stdout.readline()))
            found = []
            for _ in range(PASSES + 1):  # the first one warms
                count, before, until = 0, spent(), time.monotonic() + SECONDS
                while time.monotonic() < until:
                    count += ask(asking, kind)
                found.append((spent() - before) / 1000 / count)
            for each in asking:
                each.close()
            return sorted(found[1:])[PASSES // 2]
        finally:
            server.kill()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        serve(*sys.argv[1:])
    else:
        pinned(1)
        kinds = [kind for kind in KINDS if kind != "web" or find_spec("twisted.web")]
        print(json.dumps({KINDS[kind]: measure(sys.argv[1], kind) for kind in kinds}))
