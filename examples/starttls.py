"""A connection that becomes secure in its midst: ``python examples/starttls.py serve 7006 server.pem`` and then
``python examples/starttls.py ask 7006 server.pem``.  ``tls_server.py`` makes such a file.
"""

import sys
from pathlib import Path
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from torsion.internet.protocol import Factory
from torsion.internet.ssl import PrivateCertificate, optionsForClientTLS
from torsion.internet.task import react
from torsion.protocols.basic import LineOnlyReceiver


class Keeper(LineOnlyReceiver):
    answer = b"not here"

    def lineReceived(self, line: bytes) -> None:
        if line == b"STARTTLS":
            self.sendLine(b"go ahead")  # the last words that anybody can read
            self.transport.startTLS(self.factory.options)
            self.answer = b"the secret is 42"
        else:
            self.sendLine(self.answer)


class Asker(LineOnlyReceiver):
    options: Any
    answer: Deferred[bytes]

    def lineReceived(self, line: bytes) -> None:
        if line == b"go ahead":
            self.transport.startTLS(self.options)
            self.sendLine(b"tell me")
        else:
            self.answer.callback(line)


def certificate_in(path: Path) -> PrivateCertificate:
    return PrivateCertificate.loadPEM(path.read_bytes())


async def main(reactor: Any, verb: str, port: str = "7006", pem: str = "server.pem") -> None:
    certificate = certificate_in(Path(pem))
    if verb == "serve":
        factory: Any = Factory.forProtocol(Keeper)
        factory.options = certificate.options()
        listening = reactor.listenTCP(int(port), factory, interface="127.0.0.1")
        print(f"listening on {listening.getHost()}", flush=True)
        await Deferred()  # which never fires: until the reactor is stopped
    asker = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", int(port)), Asker())
    asker.options, asker.answer = optionsForClientTLS("localhost", trustRoot=certificate), Deferred()
    asker.sendLine(b"STARTTLS")
    print((await asker.answer.addTimeout(10, reactor)).decode())


react(main, sys.argv[1:])
