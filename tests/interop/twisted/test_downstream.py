"""What the tests of Twisted itself and of other projects rely on, and found missing once."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

from twisted.internet import protocol

from torsion.interop.twisted import TorsionReactor

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]


@pytest.fixture
def reactor():
    made = TorsionReactor()
    yield made
    made.disconnectAll()
    for reader in list(made._internalReaders):
        made.removeReader(reader)
        reader.connectionLost(None)


def test_an_attempt_to_connect_has_a_word_for_log_lines(reactor) -> None:
    connector = reactor.connectTCP("127.0.0.1", 1, protocol.ClientFactory())
    assert connector.transport.logstr == connector.transport.logPrefix() == "Uninitialized"
    connector.stopConnecting()
