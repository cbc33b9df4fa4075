"""Memory of idle secure connections: `idletls.py IMPLEMENTATION` prints one JSON object, bytes for each of 2,000.

IMPLEMENTATION: torsion, twisted.

The server's resident memory is read from /proc when 2,000 clients (Python's own `ssl`) have echoed a byte over TLS 1.3 and do
nothing, and compared with before; 200 others have come and gone by then, so that what is made once is made.
"""

from __future__ import annotations

import json
import resource
import socket
import ssl
import subprocess
import sys
from importlib import import_module
from pathlib import Path

COUNT, FIRST = 2000, 200


def serve(package: str) -> None:
    """Serve echo over TLS, print the port, and run until killed."""
    protocol = import_module(f"{package}.internet.protocol")
    tls = import_module(f"{package}.internet.ssl")
    reactor = import_module(f"{package}.internet.reactor")

    class Echo(protocol.Protocol):  # type: ignore[misc, name-defined]
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data)

    name = tls.DistinguishedName(commonName="localhost")
    key = tls.KeyPair.generate()
    request = key.requestObject(name)
    certificate = tls.PrivateCertificate.fromCertificateAndKeyPair(key.signRequestObject(name, request, 1), key)
    factory = protocol.Factory.forProtocol(Echo)
    port = reactor.listenSSL(0, factory, certificate.options(), interface="127.0.0.1")
    print(port.getHost().port, flush=True)
    reactor.run()


def connections(port: int, count: int) -> list[ssl.SSLSocket]:
    """Return connections that have echoed a byte."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    made = []
    for _ in range(count):
        connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port)))
        connection.send(b"x")
        connection.recv(1)
        made.append(connection)
    return made


def resident(process: int) -> int:
    """Return the resident memory of a process, in bytes."""
    pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()


def measure(package: str) -> float:
    """Return how many bytes a connection takes."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with subprocess.Popen([sys.executable, __file__, package, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            port = int(server.stdout.readline())
            for connection in connections(port, FIRST):
                connection.close()
            connections(port, 1)  # answered when those that went are seen to
            before = resident(server.pid)
            idle = connections(port, COUNT)
            return (resident(server.pid) - before) / len(idle)
        finally:
            server.kill()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        serve(sys.argv[1])
    else:
        print(json.dumps({"an idle TLS connection": measure(sys.argv[1])}))
