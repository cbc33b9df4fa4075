"""A server over TLS: ``python examples/tls_server.py 7443 server.pem``, and then ``openssl s_client -connect localhost:7443``.

The file holds a certificate and its key; one that is not there is made, for localhost, and signed by itself.  Two protocols
can be spoken, and are agreed upon while the connection is made (ALPN): ``openssl s_client -alpn greeting/1 …``.
"""

import sys
from pathlib import Path
from typing import Any

from zope.interface import implementer

from torsion.internet.defer import Deferred
from torsion.internet.interfaces import IHandshakeListener, IProtocolNegotiationFactory
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.ssl import KeyPair, PrivateCertificate
from torsion.internet.task import react


@implementer(IHandshakeListener)
class Greeter(Protocol):
    def handshakeCompleted(self) -> None:
        spoken = self.transport.negotiatedProtocol or b"greeting/1"
        self.transport.write(b"hello, who are you? (%s)\r\n" % spoken)

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(b"hello, " + data)
        self.transport.loseConnection()


@implementer(IProtocolNegotiationFactory)
class Greeters(Factory):
    protocol = Greeter

    def acceptableProtocols(self) -> list[bytes]:
        return [b"greeting/2", b"greeting/1"]


def certificate_in(path: Path) -> PrivateCertificate:
    if not path.exists():
        path.touch(mode=0o600)  # the key is nobody else's business
        path.write_bytes(KeyPair.generate().selfSignedCert(1, CN="localhost").dumpPEM())
    return PrivateCertificate.loadPEM(path.read_bytes())


async def main(reactor: Any, port: str = "7443", pem: str = "server.pem") -> None:
    certificate = certificate_in(Path(pem))
    listening = reactor.listenSSL(int(port), Greeters(), certificate.options(), interface="127.0.0.1")
    print(f"listening on {listening.getHost()}", flush=True)
    await Deferred()  # which never fires: until the reactor is stopped


react(main, sys.argv[1:])
