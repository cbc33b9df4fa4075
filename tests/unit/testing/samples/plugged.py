"""Tests for the plugin to run: some are meant to fail."""

import pytest

from torsion.internet.defer import Deferred, fail, succeed
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.task import deferLater


@pytest.mark.torsion
def test_good_deferred():
    from torsion.internet import reactor

    return deferLater(reactor, 0.001, lambda: None)


async def test_good_fixture(torsion_reactor):
    await deferLater(torsion_reactor, 0.001, lambda: None)


async def test_good_virtual_time(torsion_memory):
    await deferLater(torsion_memory, 3600, lambda: None)
    assert torsion_memory.seconds() >= 3600


async def test_good_world(torsion_world):
    host = torsion_world.host("one")
    await deferLater(host.reactor, 3600, lambda: None)


def test_good_flush(torsion_flush_errors):
    fail(ValueError("looked at"))
    assert [each.type for each in torsion_flush_errors(ValueError)] == [ValueError]


@pytest.fixture
def port(torsion_reactor):
    listening = torsion_reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
    yield listening
    listening.stopListening()


def test_good_fixture_that_cleans_up(port):
    assert port.getHost().port


class TestMethods:
    @pytest.mark.torsion
    @pytest.mark.parametrize("number", [1, 2])
    async def test_good_method(self, number):
        assert await succeed(number) == number

    @pytest.mark.torsion
    async def test_bad_method(self):
        assert await succeed(3) == 4


def test_bad_call(torsion_reactor):
    torsion_reactor.callLater(100, print)


@pytest.mark.torsion(timeout=0.05)
def test_bad_time():
    return Deferred()


@pytest.mark.torsion
def test_bad_error():
    fail(ValueError("nobody looks"))


async def test_bad_world(torsion_world):
    torsion_world.host("one")
    torsion_world.note("here it is")
    raise AssertionError("not so")


def test_bad_virtual_port(torsion_memory):
    torsion_memory.listenTCP(0, Factory.forProtocol(Protocol))


def test_plain():
    pass
