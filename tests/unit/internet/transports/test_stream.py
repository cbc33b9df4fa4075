"""What stands in Python of a connection; see tests/contract/test_tcp_stream.py for the rest."""

from __future__ import annotations

import socket

import pytest
from zope.interface import implementer

from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.interfaces import ILoggingContext
from torsion.internet.transports.stream import address_of, log_prefix


def test_addresses():
    assert address_of(("192.0.2.1", 80)) == IPv4Address("TCP", "192.0.2.1", 80)
    assert address_of(("2001:db8::1", 80, 5, 0)) == IPv6Address("TCP", "2001:db8::1", 80, 5, 0)


def test_an_address_of_one_link_is_given_with_it():
    index, name = socket.if_nameindex()[0]
    assert address_of(("fe80::1", 80, 0, index)) == IPv6Address("TCP", f"fe80::1%{name}", 80, 0, index)


def test_an_address_of_a_link_that_is_gone(monkeypatch):
    def gone(index):
        raise OSError(index)

    monkeypatch.setattr(socket, "if_indextoname", gone)
    assert address_of(("fe80::1", 80, 0, 77)) == IPv6Address("TCP", "fe80::1", 80, 0, 77)


@pytest.mark.parametrize("answer", ["a name", 7])
def test_log_prefix(answer):
    @implementer(ILoggingContext)
    class Named:
        def logPrefix(self):
            return answer

    assert log_prefix(Named()) == str(answer)
    assert log_prefix(answer) == type(answer).__name__
