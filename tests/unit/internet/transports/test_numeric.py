"""Addresses and port numbers."""

from __future__ import annotations

import ipaddress
import re
import socket
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.error import ServiceNameUnknownError
from torsion.internet.transports import numeric
from torsion.internet.transports.numeric import (
    host_name,
    isIPAddress,
    isIPv6Address,
    local_end,
    patience,
    port_number,
    resolve_interface,
    service_port,
)


@given(st.ip_addresses(v=4))
def test_every_ipv4_address(address):
    assert isIPAddress(str(address))
    assert not isIPv6Address(str(address))


@given(st.ip_addresses(v=6))
def test_every_ipv6_address(address):
    assert isIPv6Address(str(address))
    assert isIPv6Address(address.exploded)
    assert not isIPAddress(str(address))


@given(st.text(alphabet="0123456789.:abcfx ", max_size=20))
def test_the_same_as_the_standard_library(text):
    try:
        version = ipaddress.ip_address(text).version
    except ValueError:
        version = 0
    assert isIPAddress(text) == (version == 4)
    assert isIPv6Address(text) == (version == 6)


@pytest.mark.parametrize(
    "text", ["", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.٤", "-1.2.3.4"]
)
def test_what_is_no_ipv4_address(text):
    assert not isIPAddress(text)


@pytest.mark.parametrize("text", ["", "localhost", ":", "1:2", "::1%", "::\0", "[::1]", "::1/64"])
def test_what_is_no_ipv6_address(text):
    assert not isIPv6Address(text)


def test_scope():
    assert isIPv6Address("fe80::1%eth0")


class TestPortNumber:
    @pytest.mark.parametrize("port", [0, 1, 80, 65535])
    def test_possible(self, port):
        assert port_number(port) == port

    @pytest.mark.parametrize("port", [-1, 65536])
    def test_impossible(self, port):
        with pytest.raises(OverflowError, match=str(port)):
            port_number(port)

    @pytest.mark.parametrize("port", ["80", 80.0, None, True, False])
    def test_of_another_type(self, port):
        with pytest.raises(TypeError, match=repr(port)):
            port_number(port)


class TestHostName:
    @pytest.mark.parametrize("host", ["", "localhost", "::1", "bücher.example"])
    def test_possible(self, host):
        assert host_name(host) is host

    @pytest.mark.parametrize(("host", "remedy"), [(b"::1", "decode it"), (None, "not None"), (7, "not 7")])
    def test_of_another_type(self, host, remedy):
        with pytest.raises(TypeError, match=remedy):
            host_name(host)


class TestPatience:
    @pytest.mark.parametrize("timeout", [None, 0, 0.5, 30, Fraction(1, 3), Decimal("2.5"), 1e300])
    def test_possible(self, timeout):
        assert patience(timeout) is timeout

    @pytest.mark.parametrize("timeout", [-1, -0.001, float("inf"), float("-inf"), float("nan"), 10**400])
    def test_impossible(self, timeout):
        with pytest.raises(ValueError, match=rf"None for no limit, unlike {timeout}"):
            patience(timeout)

    @pytest.mark.parametrize("timeout", ["x", "3", b"3", (), 1j])
    def test_of_another_type(self, timeout):
        with pytest.raises(TypeError, match=re.escape(f"None for no limit, not {timeout!r}")):
            patience(timeout)


class TestLocalEnd:
    @pytest.mark.parametrize("address", [None, ("127.0.0.1", 0), ("", 7), ("name", 70000)])
    def test_possible(self, address):
        assert local_end(address) == address

    def test_as_sockets_take_it(self):
        assert local_end(["::1", 7]) == ("::1", 7)
        assert local_end((b"127.0.0.1", 7)) == ("127.0.0.1", 7)

    @pytest.mark.parametrize(
        "address", ["x", "xy", "::1", 7, ("::1",), ("::1", 0, 0), ("::1", "0"), (7, 7), ("::1", True), ("::1", None)]
    )
    def test_impossible(self, address):
        with pytest.raises(TypeError, match=re.escape(repr(address))):
            local_end(address)


class TestServicePort:
    def test_number(self):
        assert service_port(80) == 80

    def test_name(self, monkeypatch):
        monkeypatch.setattr(socket, "getservbyname", lambda name, kind: {("http", "tcp"): 80}[name, kind])
        assert service_port("http") == 80

    def test_unknown_name(self):
        with pytest.raises(ServiceNameUnknownError, match="no-such-service"):
            service_port("no-such-service")


class TestResolveInterface:
    @pytest.mark.parametrize(
        ("interface", "address"),
        [
            ("", ("0.0.0.0", 7)),
            ("127.0.0.1", ("127.0.0.1", 7)),
            ("::1", ("::1", 7, 0, 0)),
            ("::", ("::", 7, 0, 0)),
        ],
    )
    def test_numeric(self, interface, address, monkeypatch):
        monkeypatch.setattr(socket, "getaddrinfo", None)  # is not asked
        assert resolve_interface(interface, 7) == address

    def test_name(self):
        assert resolve_interface("localhost", 7) == ("127.0.0.1", 7)

    def test_scope(self, monkeypatch):
        def getaddrinfo(host, port, family, kind):
            assert (host, family) == ("fe80::1%eth7", socket.AF_INET6)
            return [(family, kind, 6, "", ("fe80::1%eth7", port, 0, 7))]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        assert resolve_interface("fe80::1%eth7", 80) == ("fe80::1", 80, 0, 7)

    def test_unknown(self):
        with pytest.raises(OSError):
            resolve_interface("no-such-host.invalid", 7)

    @pytest.mark.parametrize("interface", ["\udcff", "x" * 64, "127.0.0.1\0", "localhost\0x"])
    def test_no_name(self, interface):
        with pytest.raises(ValueError):
            resolve_interface(interface, 7)

    @pytest.mark.parametrize("interface", [b"::1", None, 7])
    def test_of_another_type(self, interface):
        with pytest.raises(TypeError, match=repr(interface)):
            resolve_interface(interface, 7)


def test_all():
    assert numeric.__all__ == sorted(numeric.__all__)
