"""A program of services that end, or fail to, in ways that the environment asks for: ``PARTS="a b=stop:never c=drain:fails"``."""

import os
import threading

from zope.interface import implementer

from torsion.application import service, strports
from torsion.application.draining import IDrains
from torsion.internet.defer import Deferred
from torsion.internet.protocol import Factory, Protocol
from torsion.logger import Logger

log = Logger()


def fails():
    raise ValueError("the pump is clogged")


WAYS = {"never": Deferred, "fails": fails, "stuck": lambda: threading.Event().wait()}


@implementer(IDrains)
class Part(service.Service):
    def __init__(self, name, ways):
        self.setName(name)
        self.ways = ways

    def drain(self):
        log.info("{name} drains", name=self.name)
        return WAYS[self.ways["drain"]]() if "drain" in self.ways else None

    def stopService(self):
        super().stopService()
        log.info("{name} stops", name=self.name)
        return WAYS[self.ways["stop"]]() if "stop" in self.ways else None


class Stuck(Protocol):
    def dataReceived(self, data):
        log.info("a connection is stuck")
        WAYS["stuck"]()


application = service.Application("ends")
strports.service("tcp:0:interface=127.0.0.1", Factory.forProtocol(Stuck)).setServiceParent(application)
for part in os.environ["PARTS"].split():
    name, _, ways = part.partition("=")
    Part(name, dict(way.split(":") for way in ways.split(",") if way)).setServiceParent(application)
