"""Neighbours find each other: ``python examples/multicast.py Ada`` in one window, ``python examples/multicast.py Bob`` in another.

Each calls its name to a group of hosts, once a second, and prints whom it hears.  Ctrl-C ends it.
"""

import sys
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.protocol import DatagramProtocol
from torsion.internet.task import LoopingCall, react

GROUP, PORT = "239.255.70.5", 7005  # of those that anybody may use within a site


class Neighbour(DatagramProtocol):
    def __init__(self, name: str, interface: str) -> None:
        self.name, self.interface = name, interface
        self.heard: set[bytes] = set()

    def startProtocol(self) -> None:
        self.transport.setTTL(1)  # no farther than this network
        self.transport.setOutgoingInterface(self.interface)
        self.transport.joinGroup(GROUP, self.interface).addCallback(lambda _: LoopingCall(self.call).start(1))

    def call(self) -> None:
        self.transport.write(self.name.encode(), (GROUP, PORT))

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if datagram not in self.heard:
            self.heard.add(datagram)
            print(f"{datagram.decode()} is at {addr[0]}", flush=True)


async def main(reactor: Any, name: str, interface: str = "127.0.0.1") -> None:
    reactor.listenMulticast(PORT, Neighbour(name, interface), listenMultiple=True)  # two of one host share the port
    await Deferred()  # which never fires: until the reactor is stopped


react(main, sys.argv[1:])
