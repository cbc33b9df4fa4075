"""A soak: connections come and go for a long time, and at the end everything is back where it began.

    python benches/python/soak.py --seconds 600 --connections 1000

In one process, a server and so many clients of it, plain and with TLS (from the beginning, and started in the midst of a connection). Each client
lives for some seconds: it talks and is answered, closes its half and waits for the rest, is sent a lot and then left, or resets the connection, or
has it reset; then the next one takes its place. What was to arrive is compared with what did. When the time is over and the last one is gone,
descriptors, objects that the collector knows, delayed calls and the engine's own counters are compared with those before, which are taken when
everything has been used once.

It prints one JSON object; the exit status is 1 if anything is left over, or was lost on the way.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

UNDER = {
    "twisted-torsion": ("twisted", "torsion.interop.twisted"),
    "twisted-epoll": ("twisted", "twisted.internet.epollreactor"),
    "torsion": ("torsion", ""),
}
"""Which package the programs are of, and what installs their reactor."""

HOSTS = [f"127.0.0.{number}" for number in range(1, 9)]
"""Several, since the system keeps the address of a connection that ended for a minute, and has some 28,000 for each."""

BLOCK = random.Random(1).randbytes(1 << 20)
"""What everybody sends, in slices."""
TALK, HALF, BULK, RESET, BE_RESET, SILENT = b"T", b"H", b"B", b"R", b"Q", b"S"
"""What a client does with its life; the first byte tells the server."""
LIVES = [("plain", each) for each in (TALK, HALF, BULK, RESET, BE_RESET, SILENT)] + [
    (kind, each) for kind in ("secure", "promoted") for each in (TALK, BULK, RESET, BE_RESET)
]
WEIGHTS = [12] * 6 + [5] * 4 + [2] * 4
SLACK = 50
"""So many objects of one kind, which are not connections' own, may come to be while it runs: caches that grow, say."""


@dataclass
class Tally:
    """What has happened."""

    opened: int = 0
    failed: int = 0
    wrong: list[str] = field(default_factory=list)
    moved: int = 0
    lives: Counter[str] = field(default_factory=Counter)


class Soak:
    """All of it, over one reactor."""

    def __init__(self, package: str, seed: int, pace: float) -> None:
        self.protocol = import_module(f"{package}.internet.protocol")
        self.interfaces = import_module(f"{package}.internet.interfaces")
        self.ssl = import_module(f"{package}.internet.ssl")
        self.reactor = import_module(f"{package}.internet.reactor")
        self.random = random.Random(seed)
        self.pace = pace
        self.tally = Tally()
        self.alive = 0
        self.until = 0.0
        self.idle: Any = None  # what is called when the last one is gone
        self.options, self.trusting = self._settings()
        self.host_kinds, self.guest = protocols(self)

    def _settings(self) -> tuple[Any, Any]:
        tls = self.ssl
        key = tls.KeyPair.generate(size=2048)
        name = tls.DistinguishedName(commonName="soak")
        request = key.requestObject(name)
        certificate = tls.PrivateCertificate.fromCertificateAndKeyPair(key.signRequestObject(name, request, 1), key)
        return certificate.options(), tls.CertificateOptions()

    # --- the server ---------------------------------------------------------------------------------------------------

    def listen(self) -> list[Any]:
        """Listen, and return the ports: for each host one without TLS, one with it, one for those who start it."""
        ports = []
        for host in HOSTS:
            for kind, protocol in self.host_kinds.items():
                factory = self.protocol.Factory.forProtocol(protocol)
                factory.noisy = False
                if kind == "secure":
                    ports.append(self.reactor.listenSSL(0, factory, self.options, 1024, host))
                else:
                    ports.append(self.reactor.listenTCP(0, factory, 1024, host))
        return ports

    # --- the clients --------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Begin the next life."""
        if time.monotonic() >= self.until:
            self.alive -= 1
            if not self.alive:
                self.reactor.callLater(self.pace, self.idle)  # servers hear a little later than clients of an end
            return
        # Each of them in the beginning, so that everything is used once.
        at = self.tally.opened
        kind, mode = LIVES[at] if at < len(LIVES) else self.random.choices(LIVES, WEIGHTS)[0]
        port = self.random.choice(self.ports[kind]).getHost()
        factory = self.protocol.ClientFactory()
        factory.noisy = False
        factory.buildProtocol = lambda _address: self.guest(kind, mode)
        factory.clientConnectionFailed = self.failed
        self.tally.opened += 1
        self.tally.lives[f"{kind} {mode.decode()}"] += 1
        if kind == "secure":
            self.reactor.connectSSL(port.host, port.port, factory, self.trusting)
        else:
            self.reactor.connectTCP(port.host, port.port, factory)

    def failed(self, _connector: Any, reason: Any) -> None:
        """A connection could not be made."""
        self.tally.failed += 1
        if len(self.tally.wrong) < 10:
            self.tally.wrong.append(f"not connected: {reason.value}")
        self.next()

    def next(self) -> None:
        """One is gone: begin another one's life, soon."""
        self.reactor.callLater(self.random.random() * self.pace / 10, self.connect)

    def run(self, connections: int, seconds: float, then: Any) -> None:
        """Keep so many connections alive for so long; *then* is called when the last one is gone."""
        self.until = time.monotonic() + seconds
        self.idle = then
        self.alive = connections
        for _ in range(connections):
            self.reactor.callLater(self.random.random() * self.pace, self.connect)

    # --- looking ------------------------------------------------------------------------------------------------------

    def count(self) -> dict[str, Any]:
        """Return what there is now."""
        for _ in range(3):
            gc.collect()
        kinds = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
        engine = getattr(self.reactor, "engine", None)
        return {
            "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1,  # the one that looks
            "objects": sum(kinds.values()),
            "delayed calls": len(self.reactor.getDelayedCalls()),
            "resident": int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize(),
            "engine": engine.statistics() if engine is not None else {},
            "kinds": kinds,
        }

    def soak(self, connections: int, seconds: float, warm: float, done: Any) -> None:
        """Do it; *done* is called with the report."""
        listening = self.listen()
        names = list(self.host_kinds)
        self.ports = {name: listening[number :: len(names)] for number, name in enumerate(names)}
        report: dict[str, Any] = {}

        def warmed() -> None:
            self.tally = Tally()
            report["before"] = self.count()
            self.run(connections, seconds, over)

        def over() -> None:
            report["after"] = self.count()
            report.update(vars(self.tally))
            report["left"] = left_over(report["before"], report["after"])
            for each in ("before", "after"):
                del report[each]["kinds"]
            done(report)

        self.run(connections, warm, warmed)


def left_over(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    """Return what there is more of than before, and should not be."""
    left = {name: after[name] - before[name] for name in ("descriptors", "delayed calls")}
    for name in ("descriptors", "timers"):
        if name in after["engine"]:
            left[f"engine's {name}"] = after["engine"][name] - before["engine"][name]
    if after["engine"]:
        left["engine's streams"] = after["engine"]["streams_opened"] - after["engine"]["streams_closed"]
    for kind, count in after["kinds"].items():
        more = count - before["kinds"][kind]
        own = kind.startswith((__name__, "torsion", "twisted", "OpenSSL", "_socket", "socket"))
        if more > (0 if own else SLACK):
            left[kind] = more
    return {name: count for name, count in left.items() if count}


class Host:
    """One connection of the server's: does what the first byte says."""

    soak: Soak
    transport: Any
    mode = b""

    def dataReceived(self, data: bytes) -> None:
        if not self.mode:
            self.mode, data = data[:1], data[1:]
            if self.mode == BULK:
                self.transport.write(BLOCK)
                self.transport.loseConnection()
        if self.mode == BE_RESET:
            self.transport.abortConnection()
        elif self.mode in (TALK, HALF, RESET) and data:
            self.transport.write(data)


class HalfHost(Host):
    """One that answers after its client has said everything."""

    def readConnectionLost(self) -> None:
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        raise AssertionError("nobody asked for that")


class PromotedHost(Host):
    """One that starts TLS after a word in the clear."""

    def connectionMade(self) -> None:
        self.transport.write(b"+")
        self.transport.startTLS(self.soak.options)


class Guest:
    """One connection of a client's."""

    soak: Soak
    transport: Any

    def __init__(self, kind: str, mode: bytes) -> None:
        self.kind, self.mode = kind, mode
        self.sent = self.got = 0
        self.turns = self.soak.random.randint(1, 6)
        self.start = self.soak.random.randrange(1 << 18)
        self.call: Any = None
        self.greeted = kind != "promoted"
        if mode == HALF:
            from zope.interface import directlyProvides

            directlyProvides(self, self.soak.interfaces.IHalfCloseableProtocol)

    def connectionMade(self) -> None:
        if self.greeted:
            self.begin()

    def begin(self) -> None:
        if self.mode == SILENT:
            self.later(self.transport.loseConnection)
            return
        self.transport.write(self.mode)
        self.later(self.act)

    def later(self, what: Any) -> None:
        self.call = self.soak.reactor.callLater(self.soak.random.random() * self.soak.pace, what)

    def say(self) -> None:
        size = self.soak.random.choice([1, 100, 4000, 60_000])
        self.transport.write(BLOCK[self.start + self.sent :][:size])
        self.sent += size

    def act(self) -> None:
        self.turns -= 1
        if self.mode in (TALK, HALF, RESET):
            self.say()
        if self.turns > 0 and self.mode != BE_RESET:
            self.later(self.act)
        elif self.mode == HALF:
            self.transport.loseWriteConnection()
        elif self.mode == RESET:
            self.transport.abortConnection()
        elif self.mode == BE_RESET:
            self.transport.write(b"now")
        elif self.mode == TALK:
            self.mode = SILENT  # when everything is answered
            self.look()

    def look(self) -> None:
        if self.mode == SILENT and self.got == self.sent:
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        if not self.greeted:
            self.greeted = True
            assert data == b"+"
            self.transport.startTLS(self.soak.trusting)
            self.begin()
            return
        self.soak.tally.moved += len(data)
        at = self.got if self.mode == BULK else self.start + self.got
        if data != BLOCK[at : at + len(data)]:
            self.soak.tally.wrong.append(f"{self.kind} {self.mode!r}: other bytes at {self.got}")
        self.got += len(data)
        self.look()

    def readConnectionLost(self) -> None:
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Any = None) -> None:
        if self.call is not None and self.call.active():
            self.call.cancel()
        wanted = {TALK: -1, BULK: len(BLOCK), HALF: self.sent, SILENT: self.sent}.get(self.mode)
        if wanted is not None and wanted != self.got:
            self.soak.tally.wrong.append(f"{self.kind} {self.mode!r}: {self.got} bytes of {wanted}, {reason.value}")
        self.soak.next()


def protocols(soak: Soak) -> tuple[dict[str, Any], Any]:
    """Return the server's protocols and the clients', of the package that *soak* is about."""
    from zope.interface import implementer

    base = soak.protocol.Protocol

    def made(kind: type) -> Any:
        return type(kind.__name__, (kind, base), {"soak": soak, "__module__": __name__})

    half = implementer(soak.interfaces.IHalfCloseableProtocol)(made(HalfHost))
    return {"plain": half, "secure": made(Host), "promoted": made(PromotedHost)}, made(Guest)


def main() -> int:
    """Do it, and print the report."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--under", choices=UNDER, default="twisted-torsion", help="whose programs, on whose reactor")
    options.add_argument("--seconds", type=float, default=600, help="for how long new connections are made")
    options.add_argument("--connections", type=int, default=1000, help="how many there are at a time")
    options.add_argument("--warm", type=float, default=10, help="for how many seconds before things are counted")
    options.add_argument(
        "--pace", type=float, default=1, help="how many seconds pass at most between what a client does"
    )
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    warnings.simplefilter("ignore")
    package, installing = UNDER[chosen.under]
    if installing:
        import_module(installing).install()
    soak = Soak(package, chosen.seed, chosen.pace)
    reactor = soak.reactor
    reports: list[Any] = []

    def over(report: Any) -> None:
        reports.append(report)
        reactor.stop()

    reactor.callWhenRunning(soak.soak, chosen.connections, chosen.seconds, chosen.warm, over)
    reactor.run()
    [report] = reports
    print(
        json.dumps(
            {"under": chosen.under, "seconds": chosen.seconds, "connections": chosen.connections, **report}, indent=1
        )
    )
    return 1 if report["left"] or report["wrong"] or report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
