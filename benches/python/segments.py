"""What a simulated segment costs: `segments.py [--rounds N] [--json]`, CPU microseconds for each.

A segment is one write of 64 bytes that arrives in one `dataReceived` at the other end.  Peers take turns in one process tree; the medians of
the rounds are shown, user and system time together.

twisted       two protocols of stock Twisted on its epoll reactor in one process, which send each other 64 bytes to and fro over a loopback
              socket: one write and one read for each segment
simulated     the same two protocols in torsion's simulated network, on two hosts 10 ms apart
hosts 1000    a thousand hosts that report to one server every ten seconds and are answered, by a LoopingCall each, over ways of various
              latency, for ten simulated minutes: 120,000 segments and 60,000 timers.  CPU seconds for all of it
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

TWISTED = """
import time
from twisted.internet import epollreactor; epollreactor.install()
from twisted.internet import reactor
from twisted.internet.protocol import Protocol, Factory, ClientFactory
count = 0
class Bounce(Protocol):
    def dataReceived(self, data):
        global count, began
        count += 1
        if count == 2000:
            began = time.process_time_ns()
        elif count == 2000 + TOTAL:
            print((time.process_time_ns() - began) / TOTAL)
            reactor.stop()
            return
        self.transport.write(data)
class Begin(Bounce):
    def connectionMade(self):
        self.transport.write(b"x" * 64)
Factory.noisy = False
port = reactor.listenTCP(0, Factory.forProtocol(Bounce), interface="127.0.0.1")
reactor.connectTCP("127.0.0.1", port.getHost().port, ClientFactory.forProtocol(Begin))
reactor.run()
"""

SIMULATED = """
import time
from torsion.internet.protocol import Protocol, Factory, ClientFactory
from torsion.testing import Conditions, World
count = 0
class Bounce(Protocol):
    def dataReceived(self, data):
        global count
        count += 1
        self.transport.write(data)
class Begin(Bounce):
    def connectionMade(self):
        self.transport.write(b"x" * 64)
Factory.noisy = False
world = World(seed=1, conditions=Conditions(latency=0.01))
one, other = world.host("one"), world.host("other")
one.reactor.listenTCP(7000, Factory.forProtocol(Bounce))
other.reactor.connectTCP("one", 7000, ClientFactory.forProtocol(Begin))
world.advance(20.0)
before, began = count, time.process_time_ns()
world.advance(TOTAL / 100)
print((time.process_time_ns() - began) / (count - before))
"""

MANY = """
import time
from torsion.internet.protocol import Protocol, Factory, ClientFactory
from torsion.internet.task import LoopingCall
from torsion.testing import Conditions, World
count = 0
class Bounce(Protocol):
    def dataReceived(self, data):
        global count
        count += 1
        self.transport.write(data)
class Reports(Protocol):
    def connectionMade(self):
        self.loop = LoopingCall(self.transport.write, b"x" * 64)
        self.loop.clock = self.transport.reactor
        self.loop.start(10)
    def dataReceived(self, data):
        global count
        count += 1
Factory.noisy = False
world = World(seed=1, conditions=Conditions(latency=0.02, jitter=0.2))
server = world.host("server")
server.reactor.listenTCP(7000, Factory.forProtocol(Bounce), backlog=HOSTS)
for number in range(HOSTS):
    world.host(f"host{number}").reactor.connectTCP("server", 7000, ClientFactory.forProtocol(Reports))
began = time.process_time_ns()
world.advance(600)
assert count > 119_000, count
print(time.process_time_ns() - began)
"""


def measure(script: str, **values: int) -> float:
    """Return what *script* says that a segment costs, in nanoseconds."""
    head = "".join(f"{name} = {value}\n" for name, value in values.items())
    run = subprocess.run([sys.executable, "-c", head + script], capture_output=True, text=True, check=True)
    return float(run.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cases = {
        "twisted": lambda: measure(TWISTED, TOTAL=20_000),
        "simulated": lambda: measure(SIMULATED, TOTAL=20_000),
        "hosts 1000": lambda: measure(MANY, HOSTS=1000) / 1_000_000,
    }
    rounds = [{name: case() / 1000 for name, case in cases.items()} for _ in range(options.rounds)]
    figures = {name: statistics.median(each[name] for each in rounds) for name in cases}
    if options.json:
        options.json.write_text(json.dumps(figures))
    print(f"{'CPU µs for a segment':24}{'median':>8}")
    for name, figure in figures.items():
        share = {"twisted": "", "hosts 1000": "  s for all"}.get(
            name, f"  {figure / figures['twisted']:.2f} of twisted"
        )
        print(f"{name:24}{figure:8.2f}{share}")


if __name__ == "__main__":
    main()
