"""Flavours agree: whatever the two ends of a connection do, each is told the same things in the same order.

Programs of the two ends are drawn, run on the flavour under test and in memory, and what each end was told is compared:
hooks in their order, bytes, and reasons.  How bytes are cut into deliveries is nobody's promise, and is not compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from zope.interface import alsoProvides

from contract.flavours import needs
from torsion.internet.interfaces import IHalfCloseableProtocol
from torsion.internet.protocol import ClientFactory, Factory, Protocol
from torsion.internet.reactors.memory import MemoryReactor

pytestmark = needs("IReactorTCP", "kernel", "engine")

PATIENCE = 200
"""How many turns without news end a step: the kernel's loopback needs none, a busy machine may."""

QUIET = 4
"""After how many turns in which nobody was told anything a step has had its effect."""

MUCH = 70_000
"""What an end writes at once, and once only: more than the high-water mark, and less than a kernel takes before anybody reads."""


@dataclass
class End(Protocol):
    """One end: notes what it is told, and does in a hook what the program says, once."""

    reactions: dict[str, str]
    half_closeable: bool
    told: list[str] = field(default_factory=list)
    received: int = 0
    wrote_much: bool = False

    def __post_init__(self) -> None:
        if self.half_closeable:
            alsoProvides(self, IHalfCloseableProtocol)

    def note(self, hook: str) -> None:
        self.told.append(hook)
        reaction = self.reactions.pop(hook, None)
        if reaction is not None:
            self.do(reaction)

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(
            True
        )  # else the kernel may hold small pieces back until earlier ones are acknowledged
        self.note("made")

    def dataReceived(self, data: bytes) -> None:
        self.received += len(data)
        if not self.told[-1].startswith("data"):
            self.told.append("data")
        reaction = self.reactions.pop("data", None)
        if reaction is not None:
            self.do(reaction)

    def readConnectionLost(self) -> None:
        self.note("read half lost")

    def writeConnectionLost(self) -> None:
        self.note("write half lost")

    def connectionLost(self, reason: Any = None) -> None:
        self.told.append(f"lost: {reason.value!r}")

    def pauseProducing(self) -> None:
        self.note("pause")

    def resumeProducing(self) -> None:
        self.note("resume")

    def stopProducing(self) -> None:
        self.note("stop")

    def do(self, what: str) -> None:
        transport: Any = self.transport
        match what:
            case "write a little":
                transport.write(b"some words")
            case "write much":
                transport.write(bytes(0 if self.wrote_much else MUCH))
                self.wrote_much = True
            case "produce":
                if transport.producer is None:
                    transport.registerProducer(self, True)
            case "produce no more":
                transport.unregisterProducer()
            case "turn":
                self.factory.reactor.iterate(0)
            case "raise":
                raise ArithmeticError("on purpose")
            case _:
                getattr(transport, what)()


ACTIONS = (
    "write a little",
    "write much",
    "loseConnection",
    "abortConnection",
    "loseWriteConnection",
    "pauseProducing",
    "resumeProducing",
    "produce",
    "produce no more",
)
HOOKS = ("made", "data", "read half lost", "write half lost", "pause", "resume", "stop")
ENDS = ("server", "client")


@dataclass(frozen=True)
class Program:
    """What both ends do: of themselves, one step after the other, and in their hooks."""

    steps: tuple[tuple[str, str, bool], ...]
    """Which end does what, and whether all that follows from it happens before the next step."""
    reactions: tuple[tuple[str, str, str], ...] = ()
    """Which end does what in which hook, the first time."""
    half_closeable: frozenset[str] = frozenset()


programs = st.builds(
    Program,
    st.lists(st.tuples(st.sampled_from(ENDS), st.sampled_from(ACTIONS), st.booleans()), max_size=8).map(tuple),
    st.lists(
        st.tuples(st.sampled_from(ENDS), st.sampled_from(HOOKS), st.sampled_from((*ACTIONS, "turn", "raise"))),
        max_size=3,
        unique_by=lambda each: each[:2],
    ).map(tuple),
    st.frozensets(st.sampled_from(ENDS)),
)


class Makes(ClientFactory):
    """Makes the one end that it has."""

    noisy = False

    def __init__(self, reactor: Any, end: End) -> None:
        self.reactor = reactor
        self.end = end

    def buildProtocol(self, addr: object) -> End:
        self.end.factory = self
        return self.end

    def clientConnectionFailed(self, connector: object, reason: Any) -> None:
        self.end.told.append(f"failed: {reason.value!r}")


def run(reactor: Any, program: Program) -> dict[str, tuple[list[str], int]]:
    """Run *program* on *reactor*; return what each end was told, and how many bytes it received."""
    ends = {
        name: End(
            {hook: action for end, hook, action in program.reactions if end == name}, name in program.half_closeable
        )
        for name in ENDS
    }

    def settle(long: bool = False) -> None:
        quiet = turns = 0
        while quiet < QUIET and turns < PATIENCE:
            before = [(len(end.told), end.received) for end in ends.values()]
            reactor.iterate(0.001 if long else 0)
            turns += 1
            quiet = quiet + 1 if before == [(len(end.told), end.received) for end in ends.values()] else 0

    port = reactor.listenTCP(0, Makes(reactor, ends["server"]), interface="127.0.0.1")
    reactor.connectTCP("127.0.0.1", port.getHost().port, Makes(reactor, ends["client"]))
    for _ in range(PATIENCE):
        if all(end.told for end in ends.values()):
            break
        reactor.iterate(0.01)
    settle()
    for name, action, waits in program.steps:
        if not ends[name].told[-1].startswith(("lost", "failed")):
            ends[name].do(action)
        if waits:
            settle()
    settle(long=True)
    outcome = {name: ([*end.told], end.received) for name, end in ends.items()}
    port.stopListening()
    reactor.disconnectAll()
    for _ in range(3):
        reactor.iterate(0)
    return outcome


def both_agree(flavour: Any, logged: Any, program: Program) -> None:
    """Check that *flavour* and the one in memory say the same."""
    found = run(flavour.make(), program)
    logged.take(ArithmeticError)
    assert run(MemoryReactor(), program) == found
    logged.take(ArithmeticError)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(program=programs)
@example(Program((("client", "write a little", False), ("client", "loseConnection", True))))
@example(Program((("server", "loseConnection", False), ("client", "loseConnection", False))))
@example(Program((("server", "abortConnection", False), ("client", "abortConnection", False))))
@example(
    Program(
        (("client", "loseWriteConnection", True), ("server", "loseWriteConnection", True)),
        half_closeable=frozenset(ENDS),
    )
)
@example(
    Program((("server", "pauseProducing", True), ("client", "write much", True), ("client", "abortConnection", True)))
)
def test_whatever_the_two_ends_do(flavour, logged, program):
    both_agree(flavour, logged, program)


def test_a_factory_is_asked_once(flavour):
    """Were the ends of a program not connected, all of them would agree upon nothing."""
    told = run(flavour.make(), Program((("client", "write a little", True),)))
    assert told == {"server": (["made", "data"], 10), "client": (["made"], 0)}
    assert issubclass(Makes, Factory)
