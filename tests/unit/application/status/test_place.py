"""Where the page is to be found: on this machine alone, unless it is said otherwise."""

from __future__ import annotations

import pytest

from torsion.application.localsocket import PrivateUNIXServerEndpoint
from torsion.application.status.place import exposed, place, url
from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.endpoints import TCP4ServerEndpoint, UNIXServerEndpoint
from torsion.internet.reactors.memory import MemoryReactor


@pytest.mark.parametrize(
    ("description", "meant"),
    [
        ("tcp:9000", "tcp:9000:interface=127.0.0.1"),
        ("tcp:port=9000", "tcp:port=9000:interface=127.0.0.1"),
        ("tcp6:9000", r"tcp6:9000:interface=\:\:1"),
        ("ssl:9000:privateKey=x", "ssl:9000:privateKey=x:interface=127.0.0.1"),
        ("tls:/etc/keys:9000", r"tls:/etc/keys:9000:interface=\:\:1"),
        ("tcp:9000:interface=0.0.0.0", "tcp:9000:interface=0.0.0.0"),
        ("tcp:9000:192.0.2.1", "tcp:9000:192.0.2.1"),
        ("systemd:name=status", "systemd:name=status"),
        ("unix:/run/x:mode=666", "unix:/run/x:mode=666"),
    ],
)
def test_endpoints(description, meant):
    assert place(description) == (meant, None)


@pytest.mark.parametrize("description", ["/run/status", "unix:/run/status", "unix:address=/run/status"])
def test_private_sockets(description):
    assert place(description).path == "/run/status"
    assert isinstance(place(description).endpoint(MemoryReactor()), PrivateUNIXServerEndpoint)


@pytest.mark.parametrize("description", ["./status", "run/status"])
def test_relative_paths(description):
    assert place(description).path == description


def test_a_home(monkeypatch):
    monkeypatch.setenv("HOME", "/srv/a")
    assert place("~/status").path == "/srv/a/status"


def test_what_they_become():
    assert isinstance(place("tcp:9000").endpoint(MemoryReactor()), TCP4ServerEndpoint)
    assert isinstance(place("unix:/x:mode=660").endpoint(MemoryReactor()), UNIXServerEndpoint)


@pytest.mark.parametrize("description", ["", "dance:9000", "tcp:many", "9000", "tcp"])
def test_what_is_no_place(description):
    with pytest.raises(ValueError, match=r"endpoint description"):
        place(description).endpoint(MemoryReactor())


@pytest.mark.parametrize(
    ("address", "who"),
    [
        (IPv4Address("TCP", "127.0.0.1", 1), None),
        (IPv4Address("TCP", "127.9.9.9", 1), None),
        (IPv6Address("TCP", "::1", 1), None),
        (UNIXAddress(b"/x"), None),
        (IPv4Address("TCP", "0.0.0.0", 1), "whoever can reach this machine"),
        (IPv6Address("TCP", "::", 1), "whoever can reach this machine"),
        (IPv4Address("TCP", "192.0.2.1", 1), "whoever can reach 192.0.2.1"),
        (IPv6Address("TCP", "fe80::1%eth0", 1), "whoever can reach fe80::1%eth0"),
    ],
)
def test_who_can_see_it(address, who):
    assert exposed(address) == who


@pytest.mark.parametrize(
    ("address", "secure", "found"),
    [
        (IPv4Address("TCP", "127.0.0.1", 9000), False, "http://127.0.0.1:9000/"),
        (IPv4Address("TCP", "0.0.0.0", 9000), True, "https://127.0.0.1:9000/"),
        (IPv6Address("TCP", "::", 9000), False, "http://[::1]:9000/"),
        (UNIXAddress(b"/run/x"), False, "/run/x"),
    ],
)
def test_where_a_browser_finds_it(address, secure, found):
    assert url(address, secure) == found
