"""A program that gives the page of status something to show, names that would like to be markup among it; for ``torsion -y``."""

from __future__ import annotations

import os
import time

from torsion.application.internet import TCPServer
from torsion.application.service import Application, IServiceCollection, MultiService
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.task import LoopingCall
from torsion.logger import Logger

log = Logger("shop")


class OrderProtocol(Protocol):
    def dataReceived(self, data):
        if data == b"fill":
            self.transport.write(b"x" * 3_000_000)
        elif data == b"slow":
            self.reserve()
        elif data == b"fail":
            try:
                raise LookupError("no such article: <img src=x onerror=alert(1)>")
            except LookupError:
                log.failure("Order {number} cannot be filled", number=17)
        elif data == b"thread":
            from torsion.internet.threads import deferToThread

            deferToThread(os.getpid).addCallback(lambda pid: self.transport.write(b"done"))
        else:
            self.transport.write(data)

    def reserve(self):
        until = time.monotonic() + 0.15
        while time.monotonic() < until:
            pass
        self.transport.write(b"done")


Hostile = type("<script>document.title='taken'<\\script>\u202egnihtemos", (OrderProtocol,), {})


class Shop(MultiService):
    def startService(self):
        super().startService()
        LoopingCall(self.inventory).start(30, now=False)

    def inventory(self):
        pass


application = Application("shop")
shop = Shop()
shop.setServiceParent(IServiceCollection(application))
for protocol in (OrderProtocol, Hostile):
    TCPServer(0, Factory.forProtocol(protocol), interface="127.0.0.1").setServiceParent(shop)
