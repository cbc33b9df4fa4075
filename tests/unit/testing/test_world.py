"""Hosts on a simulated network, and all that may befall them."""

from __future__ import annotations

import errno
import random

import pytest

from torsion.internet._current import current_reactor
from torsion.internet.defer import Deferred
from torsion.internet.endpoints import clientFromString, serverFromString
from torsion.internet.error import ConnectionDone, ConnectionLost, TimeoutError
from torsion.internet.protocol import Factory
from torsion.internet.task import LoopingCall, deferLater
from torsion.testing import Conditions, World
from unit.testing.kit import PORT, Hears, Notes, connect, joined, serve

# --- how things are carried ------------------------------------------------------------------------------------------


def test_bandwidth_is_shared_by_all_that_goes_one_way():
    world = World(conditions=Conditions(bandwidth=1000))
    _, client, there, here = joined(world)
    others: list = []
    connect(client, "server", others)
    world.advance(1)
    began = world.seconds()
    here.transport.write(bytes(1000))
    others[0].transport.write(bytes(500))
    world.advance(0.999)
    assert there.data == b""
    world.advance(10)
    assert [at - began for at, _ in there.received] == [1.0]
    there.transport.write(b"x")
    world.advance(0.001)
    assert here.data == b"x", "the way back is another one"


def test_a_piece_of_a_stream_that_is_lost_comes_later_and_in_order():
    world = World(seed=3, conditions=Conditions(latency=0.01, loss=0.4))
    _, _, there, here = joined(world)
    for number in range(100):
        here.transport.write(b"%d " % number)
        world.advance(0.01)
    world.advance(1000)
    assert there.data == b"".join(b"%d " % number for number in range(100))
    waits = [later - sooner for (sooner, _), (later, _) in zip(there.received, there.received[1:], strict=False)]
    assert max(waits) >= 0.19, "one was sent again"


def test_a_way_that_loses_everything_still_lets_a_stream_through_in_the_end():
    """After so many attempts as Linux makes; so every simulation comes to an end."""
    world = World()
    _, _, there, here = joined(world)
    world.network.conditions = Conditions(loss=1.0)
    here.transport.write(b"at last")
    world.advance(800)
    assert there.data == b""
    world.advance(10)
    assert there.data == b"at last"


def test_jitter_never_reorders_a_stream_but_does_datagrams():
    world = World(seed=3, conditions=Conditions(latency=0.01, jitter=0.5))
    one, other = world.host("one"), world.host("other")
    hears, says = Hears(), Hears()
    one.reactor.listenUDP(PORT, hears)
    other.reactor.listenUDP(PORT, says)
    for number in range(50):
        says.transport.write(b"%d" % number, (one.address, PORT))
    world.advance(1)
    numbers = [int(each) for each in hears.heard]
    assert sorted(numbers) == list(range(50)) != numbers


def test_a_slow_reader_holds_the_writer_up():
    world = World(conditions=Conditions(capacity=1000))
    server, _, there, here = joined(world)
    server.read_slowly(100)
    told = []

    class Producer:
        def resumeProducing(self):
            told.append(("resume", round(world.seconds())))

        def pauseProducing(self):
            told.append(("pause", round(world.seconds())))

        def stopProducing(self):
            pass

    here.transport.registerProducer(Producer(), True)
    here.transport.write(bytes(100_000))
    world.advance(100)
    assert told == [("pause", 10)]
    assert 9_900 <= len(there.data) <= 10_100
    server.read_slowly(None)
    world.advance(1)
    assert len(there.data) == 100_000
    assert told[1][0] == "resume"
    with pytest.raises(ValueError, match="pace is"):
        server.read_slowly(0)


# --- hosts that fail -------------------------------------------------------------------------------------------------


def test_a_crash_leaves_connections_half_open():
    world = World(conditions=Conditions(latency=0.01))
    server, _, there, here = joined(world)
    server.crash()
    world.advance(100_000)
    assert (here.reason, there.reason) == (None, None), "nobody is told, and nobody asks"
    here.transport.write(b"anyone there?")
    world.advance(900)
    assert here.reason is None
    world.advance(30)
    assert isinstance(here.reason, ConnectionLost)
    assert here.reason.args[0].errno == errno.ETIMEDOUT


def test_a_host_that_is_back_does_not_know_its_connections():
    world = World(conditions=Conditions(latency=0.01))
    server, client, _, here = joined(world)
    server.crash(5)
    world.advance(10)
    assert server.up
    assert here.reason is None, "half open still"
    here.transport.write(b"anyone there?")
    world.advance(1)
    assert isinstance(here.reason, ConnectionLost)
    again: list = []
    connect(client, "server", again)
    world.advance(1)
    assert len(again) == 1, "its programs were started again"


def test_what_was_sent_while_it_was_down_is_answered_when_it_is_back():
    world = World(conditions=Conditions(latency=0.01))
    server, _, _, here = joined(world)
    server.crash(60)
    here.transport.write(b"anyone there?")
    world.advance(59)
    assert here.reason is None
    world.advance(2)
    assert isinstance(here.reason, ConnectionLost)


def test_nobody_connects_to_a_host_that_is_down():
    world = World()
    server, client, *_ = joined(world)
    server.crash()
    made: list = []
    failures: list = []
    connect(client, "server", made, failures)
    world.advance(29)
    assert failures == []
    world.advance(2)
    assert [type(each) for each in failures] == [TimeoutError]


def test_a_killed_host_s_system_closes_what_it_had_open():
    world = World(conditions=Conditions(latency=0.01))
    server, _, there, here = joined(world)
    timers = []
    server.reactor.callLater(1, timers.append, "fired")
    server.kill(2)
    world.advance(1)
    assert isinstance(here.reason, ConnectionDone)
    assert there.reason is None, "the program was ended before it could learn of it"
    world.advance(5)
    assert timers == []
    assert server.up


def test_a_frozen_host_does_everything_when_it_goes_on():
    world = World()
    server, _, there, here = joined(world)
    ticks = []
    server.reactor.callLater(1, ticks.append, "tick")
    server.freeze(10)
    here.transport.write(b"anyone there?")
    world.advance(9)
    assert (ticks, there.data) == ([], b"")
    world.advance(1)
    assert (ticks, there.data) == (["tick"], b"anyone there?")


def test_a_clock_that_jumps_moves_no_timer():
    world = World()
    one, other = world.host("one"), world.host("other")
    fired = []
    call = one.reactor.callLater(10, lambda: fired.append(one.reactor.seconds()))
    one.jump(3600)
    assert (one.reactor.seconds(), other.reactor.seconds()) == (3600, 0)
    assert call.getTime() == 3610
    world.advance(10)
    assert fired == [3610]
    one.jump(-7200)
    assert one.reactor.seconds() == -3590
    one.crash()
    one.start()
    assert one.reactor.seconds() == -3590, "the clock is the computer's, not the program's"


def test_a_looping_call_that_does_not_expect_that_a_clock_jumps():
    """Time that goes back makes ``LoopingCall`` wait for it: it goes by the clock's time, as Twisted's does."""
    world = World()
    host = world.host("one")
    ticks = []
    loop = LoopingCall(lambda: ticks.append(world.seconds()))
    loop.clock = host.reactor
    loop.start(1)
    world.advance(5.5)
    assert len(ticks) == 6
    host.jump(3600)
    world.advance(5)
    assert 10 <= len(ticks) <= 12


def test_resets_break_both_ends():
    world = World()
    server, client, there, here = joined(world)
    assert server.reset(client) == 2
    world.advance(1)
    assert [type(each.reason) for each in (there, here)] == [ConnectionLost] * 2


def test_a_partition_heals():
    world = World()
    _, _, there, here = joined(world)
    world.cut(["server"], 5)
    here.transport.write(b"anyone there?")
    world.advance(4.9)
    assert there.data == b""
    world.advance(0.2)
    assert there.data == b"anyone there?"


def test_a_partition_that_lasts_leaves_connections_half_open():
    world = World()
    _, _, there, here = joined(world)
    world.cut(["server"], 2000)
    world.advance(10)
    here.transport.write(b"anyone there?")
    world.advance(924)
    assert here.reason is None
    world.advance(1)
    assert isinstance(here.reason, ConnectionLost)
    assert here.reason.args[0].errno == errno.ETIMEDOUT
    world.advance(2000)
    assert (there.reason, there.data) == (None, b""), "it has not heard of it, and what was given up never comes"
    there.transport.write(b"still there?")
    world.advance(1)
    assert isinstance(there.reason, ConnectionLost)


def test_a_partition_that_heals_in_time_breaks_nothing():
    world = World()
    _, _, there, here = joined(world)
    world.cut(["server"], 500)
    here.transport.write(b"one ")
    world.advance(600)
    world.cut(["server"], 800)
    here.transport.write(b"two ")
    world.advance(700)
    assert (here.reason, there.data) == (None, b"one ")
    world.advance(1000)
    assert (here.reason, there.data) == (None, b"one two ")


def test_two_partitions_heal_one_after_the_other():
    world = World()
    hosts = [world.host(name) for name in ("one", "two", "three")]
    ears = [Hears() for _ in hosts]
    for host, hears in zip(hosts, ears, strict=True):
        host.reactor.listenUDP(PORT, hears)
    world.cut(["one"], 10)
    world.advance(5)
    world.cut(["two"], 10)
    world.advance(6)
    for host in hosts[1:]:
        ears[0].transport.write(b"1", (host.address, PORT))
    world.advance(0)
    assert [hears.heard for hears in ears] == [[], [], [b"1"]]


# --- the world -------------------------------------------------------------------------------------------------------


def test_time_passes_until_something_has_happened():
    world = World()
    host = world.host("one")
    assert world.run_until(deferLater(host.reactor, 5, lambda: "done")) == "done"
    assert world.seconds() == 5

    async def waits() -> str:
        await deferLater(host.reactor, 2, lambda: None)
        return "waited"

    assert world.run_until(waits()) == "waited"
    host.reactor.callLater(3, lambda: None)
    world.run_until(lambda: world.seconds() >= 10)
    with pytest.raises(ZeroDivisionError):
        world.run_until(deferLater(host.reactor, 1, lambda: 1 / 0))


def test_what_never_happens_is_said():
    world = World()
    with pytest.raises(builtin_timeout, match="nothing is to happen any more"):
        world.run_until(Deferred())
    host = world.host("one")
    host.reactor.callLater(1000, lambda: None)
    with pytest.raises(builtin_timeout, match="in the time allowed"):
        world.run_until(lambda: False, timeout=100)


def test_hosts_have_names():
    world = World()
    one = world.host("one")
    assert world["one"] is one is world[one]
    assert "10.0.0.1" in repr(one)
    with pytest.raises(ValueError, match="there is a host 'one' already"):
        world.host("one")
    with pytest.raises(LookupError, match="there is no host 'two'; there are one"):
        world["two"]
    with pytest.raises(ValueError, match="is a numeric one"):
        world.host("two", "example.org")
    world.host("six", "2001:DB8::1", boot=lambda host: serve(host, [], interface="::"))
    connect(world.host("seven", "2001:db8::2"), "2001:db8::1", made := [])
    world.advance(1)
    assert len(made) == 1


def test_a_host_s_reactor_runs_and_stops():
    world = World()
    host = world.host("one")
    told = []
    host.reactor.callWhenRunning(told.append, "running")
    host.reactor.addSystemEventTrigger("before", "shutdown", told.append, "shutdown")
    assert (told, host.reactor.running) == (["running"], True)
    serve(host, [])
    host.reactor.stop()
    world.advance(0)
    assert told == ["running", "shutdown"]
    assert not host.reactor.running


def test_programs_find_the_reactor_of_their_host():
    """Also those that are given none: a ``LoopingCall`` asks which one runs."""
    world = World()
    ticks: dict[str, list[float]] = {"one": [], "two": []}

    def boot(host) -> None:
        assert current_reactor() is host.reactor
        loop = LoopingCall(lambda: ticks[host.name].append(loop.clock.seconds()))
        host.reactor.callLater(1, loop.start, 10)

    world.host("one", boot=boot).jump(100)
    world.host("two", boot=boot)
    world.advance(25)
    assert ticks == {"one": [101, 111, 121], "two": [1, 11, 21]}


def test_endpoints_and_names_work_as_everywhere():
    world = World(conditions=Conditions(latency=0.01))
    made: list[Notes] = []

    class Makes(Factory):
        noisy = False

        def buildProtocol(self, addr: object) -> Notes:
            made.append(Notes(world))
            return made[-1]

    async def talk() -> bytes:
        server, client = world.host("server"), world.host("client")
        port = await serverFromString(server.reactor, f"tcp:{PORT}").listen(Makes())
        protocol = await clientFromString(client.reactor, f"tcp:SERVER:{PORT}").connect(Makes())
        assert protocol.transport.getPeer().host == server.address
        protocol.transport.write(b"hello")
        protocol.transport.loseConnection()
        await deferLater(client.reactor, 1, lambda: None)
        await port.stopListening()
        return b"".join(each.data for each in made)

    assert world.run_until(talk()) == b"hello"


def test_programs_draw_from_the_seed_as_well():
    """Torsion's own clients that connect again do: they wait for a time of their own."""

    def run(seed: int) -> list[float]:
        world, drawn = World(seed), []
        reactor = world.host("one").reactor
        reactor.callLater(1, lambda: drawn.append(random.random()))
        deferLater(reactor, 5, lambda: drawn.append(random.random()))
        reactor.callLater(3, world.run_until, lambda: True)  # one within the other
        world.advance(2)
        world.run_until(lambda: len(drawn) == 2)
        return drawn

    random.seed(7)
    expected = [random.random(), random.random()]
    random.seed(7)
    first, mine = run(1), random.random()
    assert run(1) == first != run(2)
    assert len(set(first)) == 2
    assert [mine, random.random()] == expected, "the program around it goes on as if there had been no world"


def test_the_same_seed_gives_the_same_trace():
    def run(seed: int) -> str:
        world = World(seed, Conditions(latency=0.01, jitter=0.05, loss=0.1, fragment=5), trace=True)
        _, _, there, here = joined(world)
        for _ in range(10):
            here.transport.write(b"hello, world")
            world.advance(0.02)
        world.advance(100)
        there.transport.loseConnection()
        world.advance(100)
        return str(world.trace)

    assert run(5) == run(5) != run(6)


def test_being_watched_changes_nothing():
    def run(trace: bool) -> list:
        world = World(9, Conditions(latency=0.01, jitter=0.05, loss=0.1, fragment=5), trace=trace)
        _, _, there, here = joined(world)
        for _ in range(10):
            here.transport.write(b"hello, world")
            world.advance(0.02)
        world.advance(100)
        return there.received

    assert run(True) == run(False)


def test_a_thousand_hosts():
    """They report every half minute for ten minutes; that they cost nothing while they rest is what is tested."""
    world = World(conditions=Conditions(latency=0.02))
    servers: list = []
    clients: list = []
    server = world.host("server")
    serve(server, servers)
    for number in range(1000):
        connect(world.host(f"host{number}"), "server", clients)
        if number % 50 == 49:
            world.advance(0.1)
    loops = []
    for client in clients:
        loop = LoopingCall(client.transport.write, b"I am well")
        loop.clock = client.transport.reactor
        loop.start(30)
        loops.append(loop)
    world.advance(600)
    assert sum(len(each.data) for each in servers) == 1000 * 20 * 9
    assert world.network.engines()[0].statistics()["turns"] < 50_000


builtin_timeout = __builtins__["TimeoutError"] if isinstance(__builtins__, dict) else __builtins__.TimeoutError
