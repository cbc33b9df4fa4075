"""What happened, as lines and as a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from torsion.testing import Conditions, World
from unit.testing.kit import PORT, Hears, joined


def test_a_trace_tells_everything_in_words():
    world = World(conditions=Conditions(latency=0.25), trace=True)
    server, client, there, here = joined(world)
    here.transport.write(b"anyone there?")
    world.advance(1)
    world.note("and then", "server")
    there.transport.abortConnection()
    world.cut(["server"])
    hears = Hears()
    client.reactor.listenUDP(PORT, hears)
    hears.transport.write(b"?", (server.address, PORT))
    world.advance(1)
    lines = [" ".join(line.split()) for line in str(world.trace).splitlines()]
    assert lines[:4] == [
        "0.000000 s client:49152 → server:7000 connect, arrives 0.250000",
        "0.250000 s server:7000 → client:49152 accept, arrives 0.500000",
        "10.000000 s client:49152 → server:7000 data, 13 bytes b'anyone there?', arrives 10.250000",
        "11.000000 s server NOTE, and then",
    ]
    assert "11.000000 s client:7000 → server:7000 datagram, 1 bytes b'?', nobody hears, never arrives" in lines
    assert "reset" in str(world.trace)


def test_a_picture_has_a_lifeline_for_each_host_and_an_arrow_for_each_event():
    world = World(conditions=Conditions(latency=0.25), trace=True)
    joined(world)
    picture = ET.fromstring(world.picture())
    space = "{http://www.w3.org/2000/svg}"
    words = [each.text for each in picture.iter(f"{space}text")]
    assert "server" in words
    assert "client" in words
    assert sum(each.get("marker-end") is not None for each in picture.iter(f"{space}line")) == 2


def test_what_is_drawn_is_escaped_and_bounded():
    world = World(conditions=Conditions(latency=0.25), trace=True)
    *_, here = joined(world)
    for _ in range(300):
        here.transport.write(b"<&>\x00")
        world.advance(1)
    picture = ET.fromstring(world.picture(last=50))
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}line"))) == 50 + 2
    assert world.picture().count("marker-end") == 120


def test_without_a_trace_there_is_no_picture():
    with pytest.raises(ValueError, match="make the world with trace=True"):
        World().picture()


def test_a_trace_forgets_what_was_first(monkeypatch):
    monkeypatch.setattr("torsion.internet.reactors.memory.trace.LONGEST_TRACE", 10)
    world = World(trace=True)
    for number in range(20):
        world.note(f"number {number}")
    assert [event.note for event in world.trace.events] == [f"number {number}" for number in range(10, 20)]
