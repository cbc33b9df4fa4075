"""A client over TLS: ``python examples/tls_client.py www.python.org 443`` tells whom it talks to, and asks for a page.

A file may follow, with the certificate of the one who is trusted; without, it is whom the system trusts.
"""

import sys
from pathlib import Path
from typing import Any

from zope.interface import implementer

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import HostnameEndpoint, connectProtocol, wrapClientTLS
from torsion.internet.interfaces import IHandshakeListener
from torsion.internet.protocol import Protocol, connectionDone
from torsion.internet.ssl import Certificate, optionsForClientTLS
from torsion.internet.task import react
from torsion.python.failure import Failure


@implementer(IHandshakeListener)
class Visitor(Protocol):
    def __init__(self, host: str) -> None:
        self.host = host
        self.page = b""
        self.ended: Deferred[None] = Deferred()

    def handshakeCompleted(self) -> None:
        subject = Certificate.peerFromTransport(self.transport).getSubject()
        print("connected with", subject["commonName"].decode(), "speaking", self.transport.negotiatedProtocol)
        self.transport.write(f"GET / HTTP/1.0\r\nHost: {self.host}\r\n\r\n".encode())

    def dataReceived(self, data: bytes) -> None:
        self.page += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if reason is connectionDone or self.page:
            self.ended.callback(None)
        else:
            self.ended.errback(reason)


def certificate_in(path: Path) -> Certificate:
    return Certificate.loadPEM(path.read_bytes())


async def main(reactor: Any, host: str, port: str = "443", roots: str | None = None) -> None:
    trusted = None if roots is None else certificate_in(Path(roots))
    options = optionsForClientTLS(host, trustRoot=trusted, acceptableProtocols=[b"http/1.1"])
    visitor = Visitor(host)
    await connectProtocol(wrapClientTLS(options, HostnameEndpoint(reactor, host, int(port))), visitor)
    await visitor.ended
    print(visitor.page.partition(b"\r\n")[0].decode(), f"({len(visitor.page)} bytes)")


react(main, sys.argv[1:])
