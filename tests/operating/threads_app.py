"""What the tests of threads run with -y: it answers each line with its thread's name."""

import os
import threading

from torsion.application import service, strports
from torsion.internet.protocol import Factory
from torsion.protocols.basic import LineReceiver


class Answers(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        self.sendLine(threading.current_thread().name.encode())


class Lives(service.Service):
    def startService(self):
        super().startService()
        if os.environ.get("APP_BROKEN") == threading.current_thread().name:
            raise RuntimeError("no luck in this thread")


application = service.Application("threads")
Lives().setServiceParent(application)
listening = strports.service(os.environ.get("APP_LISTEN", "tcp:0:interface=127.0.0.1"), Factory.forProtocol(Answers))
listening.setServiceParent(application)
