"""What the tests of workers run with -y: it answers each line with its process's number; the environment says what else it does."""

import os
import sys
import time

from torsion.application import service
from torsion.application.internet import StreamServerEndpointService
from torsion.internet import reactor
from torsion.internet.endpoints import serverFromString
from torsion.internet.protocol import DatagramProtocol, Factory
from torsion.logger import Logger
from torsion.protocols.basic import LineReceiver

log = Logger("app")


class Answers(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        if line == b"hang":
            time.sleep(3600)
        elif line == b"exit":
            os._exit(137)
        elif line == b"raise":
            raise RuntimeError("as asked for")
        else:
            self.sendLine(line + b" %d" % os.getpid())


class Datagrams(DatagramProtocol):
    def datagramReceived(self, datagram, addr):
        self.transport.write(b"%d" % os.getpid(), addr)


class Lives(service.Service):
    def startService(self):
        super().startService()
        print("a line that is printed")  # noqa: T201 - that is what is tried
        log.info("a line of the log")
        if "APP_UDP" in os.environ:
            port = reactor.listenUDP(0, Datagrams(), "127.0.0.1")
            log.info("datagrams at {port}", port=port.getHost().port)
        if "APP_CRASHES" in os.environ:
            reactor.callLater(0.05, os._exit, 3)


if "APP_BROKEN" in os.environ and os.path.exists(os.environ["APP_BROKEN"]):
    sys.exit("the configuration is broken")

application = service.Application("workers")
Lives().setServiceParent(application)
for description in os.environ.get("APP_LISTEN", "tcp:0:interface=127.0.0.1").split():
    listening = StreamServerEndpointService(serverFromString(reactor, description), Factory.forProtocol(Answers))
    listening.setServiceParent(application)
