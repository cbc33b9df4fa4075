"""A program that tells what it is by now: its code's word, and the one that its configuration says. Copied to where the test may change it."""

import os
from pathlib import Path

import word
from zope.interface import implementer

from torsion.application import service, strports
from torsion.application.reloading import IReloads
from torsion.internet.protocol import Factory, Protocol

CONFIGURATION = Path(os.environ["CONFIGURATION"])


@implementer(IReloads)
class Configured(service.Service):
    name = "settings"

    def startService(self):
        self.reload()
        super().startService()

    def reload(self):
        number = int(CONFIGURATION.read_text())  # a ValueError names what it found
        self.number = number


class Tell(Protocol):
    def dataReceived(self, data):
        self.transport.write(f"{word.current()} {configured.number}\n".encode())


application = service.Application("tells")
configured = Configured()
configured.setServiceParent(application)
strports.service("tcp:0:interface=127.0.0.1", Factory.forProtocol(Tell)).setServiceParent(application)
