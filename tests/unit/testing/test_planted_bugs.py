"""The kit finds bugs that were planted in five small protocols, and shows each by as little as it takes."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from torsion.internet.protocol import Factory
from torsion.testing import Conditions, Cut, Kill, Reset, Schedule, Weather, World
from torsion.testing.laws import protocol_laws
from torsion.testing.searching import find, run
from unit.testing import planted

PORT = planted.PORT
SAME_EACH_TIME = settings(deadline=None, derandomize=True)


def falsified(law) -> str:
    """Run a law that does not hold; return what hypothesis says of the smallest example."""
    with pytest.raises(AssertionError) as raised:
        law()
    return "\n".join(raised.value.__notes__)


# --- a half-close that is lost ---------------------------------------------------------------------------------------


def asks(make):
    """Return the scenario of a client that asks a server three times."""

    def scenario(world: World) -> None:
        def serve(host) -> None:
            factory = Factory.forProtocol(make)
            factory.noisy, factory.reactor = False, host.reactor
            host.reactor.listenTCP(PORT, factory)

        def ask(host) -> None:
            factory = planted.ClientFactory()
            factory.noisy, factory.reactor = False, host.reactor
            factory.buildProtocol = lambda addr: client
            client.factory = factory
            host.reactor.connectTCP("server", PORT, factory)

        client = planted.Asks()
        world.host("server", boot=serve)
        world.host("client", boot=ask)
        world.advance(1000)
        assert client.answers == 3

    return scenario


def test_a_half_close_that_is_lost():
    """A quick network hides it; a piece that has to be sent again comes together with the end."""
    run(asks(planted.Works))
    found = find(asks(planted.Works), ["server", "client"], faults=[Weather], within=10, seed=1)
    [weather] = found.schedule.faults
    assert isinstance(weather, Weather)
    assert (weather.fragment, weather.duplicate, weather.reorder) == (None, 0, 0)
    assert (
        find(asks(planted.WorksToTheEnd), ["server", "client"], faults=[Weather], within=10, seed=1, examples=30)
        is None
    )


# --- a bug at the boundary of chunks ---------------------------------------------------------------------------------

LINES = st.lists(st.sampled_from([b"a", b"b c", b"", b"\r\n", b"\n"])).map(b"\r\n".join)

BadCommands = protocol_laws(planted.Commands, LINES, limit=1000, how=SAME_EACH_TIME)
TestWholeCommands = protocol_laws(planted.WholeCommands, LINES, limit=1000)


def test_a_bug_at_the_boundary_of_chunks():
    told = falsified(BadCommands().test_one_byte_at_a_time)
    data = ast.literal_eval(told.partition("data=")[2].partition(",")[0])
    assert b"\r\n" in data
    assert len(data) <= 6


# --- a buffer without bounds -----------------------------------------------------------------------------------------

SIZES = st.integers(0, 10**9).map(lambda size: b"%d:" % size) | st.just(b"5:hello,")


BadNetstring = protocol_laws(planted.Netstring, SIZES, limit=20_000, how=SAME_EACH_TIME)
TestBoundedNetstring = protocol_laws(planted.BoundedNetstring, SIZES, limit=20_000)


def test_a_buffer_without_bounds():
    told = falsified(BadNetstring().test_what_is_kept_is_bounded)
    sizes = [int(size) for size in re.findall(r"b'(\d+):", told)]
    assert any(20_000 <= size < 100_000 for size in sizes), (
        told
    )  # of the numbers up to a thousand million that are drawn


# --- a storm of connections ------------------------------------------------------------------------------------------


def reconnects(make):
    """Return the scenario of a client that stays connected to a server for a minute."""

    def scenario(world: World) -> None:
        world.host("server", boot=lambda host: host.reactor.listenTCP(PORT, planted.Counting()))
        client = make()
        world.host("client").reactor.connectTCP("server", PORT, client)
        world.advance(60)
        assert client.attempts < 100, "a storm of connections"

    return scenario


def test_a_storm_of_connections():
    quick = Conditions(latency=0.01)
    run(reconnects(planted.Eager), conditions=quick)
    kinds = [Reset, Cut, Kill]
    found = find(reconnects(planted.Eager), ["server"], kinds, within=30, conditions=quick, seed=1)
    [kill] = found.schedule.faults
    assert isinstance(kill, Kill)
    assert 1 <= kill.seconds < 3
    assert found.schedule.seed == 0
    assert (
        find(reconnects(planted.Patient), ["server"], kinds, within=30, conditions=quick, seed=1, examples=30) is None
    )


# --- two leaders -----------------------------------------------------------------------------------------------------

NAMES = ["node1", "node2", "node3"]


def elects(make):
    """Return the scenario of three nodes, of which one leads."""

    def scenario(world: World) -> None:
        nodes = []

        def boot(host) -> None:
            others = [f"10.0.0.{index + 1}" for index, name in enumerate(NAMES) if name != host.name]
            node = make(host, others)
            nodes.append(node)
            host.reactor.listenUDP(PORT, node)

        for name in NAMES:
            world.host(name, boot=boot)
        world.advance(100)
        leaders = [each.host.name for each in nodes if each.leads]
        assert len(leaders) == 1, f"leaders: {leaders}"

    return scenario


def test_two_leaders_after_a_partition():
    run(elects(planted.Elects))
    found = find(elects(planted.Elects), NAMES, [Cut], within=20, seed=1)
    [cut] = found.schedule.faults
    assert isinstance(cut, Cut)
    assert len(cut.hosts) == 1
    assert find(elects(planted.Yields), NAMES, [Cut], within=20, seed=1, examples=30) is None


def test_what_was_found_can_be_read_and_run_again(tmp_path):
    found = find(elects(planted.Elects), NAMES, [Cut], within=20, seed=1)
    again = Schedule.parse(repr(found.schedule))
    assert again == found.schedule
    with pytest.raises(AssertionError, match="leaders: ") as raised:
        run(elects(planted.Elects), again)
    assert str(raised.value) == str(found.error)
    text, picture = found.write("two leaders", tmp_path)
    assert "is cut off for" in text.read_text(encoding="utf-8")
    assert "node3" in picture.read_text(encoding="utf-8")
