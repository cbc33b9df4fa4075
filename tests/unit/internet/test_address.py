"""Addresses are values."""

import copy
import pathlib
import pickle
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from torsion.internet.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.interfaces import IAddress

ports = st.integers(0, 65535)
kinds = st.sampled_from(["TCP", "UDP"])
values = st.one_of(
    st.builds(IPv4Address, kinds, st.ip_addresses(v=4).map(str), ports),
    st.builds(IPv6Address, kinds, st.ip_addresses(v=6).map(str), ports, st.integers(0, 9), st.integers(0, 9)),
    st.builds(HostnameAddress, st.binary(max_size=20), ports),
    st.builds(UNIXAddress, st.none() | st.text("abc/", max_size=9)),
)


@given(values)
def test_a_copy_is_equal(value):
    again = pickle.loads(pickle.dumps(value))
    assert again == value
    assert hash(again) == hash(value)
    assert repr(again) == repr(value)
    assert copy.copy(value) == value


@given(values, values)
def test_equal_means_the_same_parts(one, other):
    assert (one == other) == (repr(one) == repr(other))
    assert (one == other) != (one != other)


@given(values, values)
def test_equal_means_the_same_hash(one, other):
    if one == other:
        assert hash(one) == hash(other)


@given(st.lists(st.builds(IPv4Address, kinds, st.sampled_from("abc"), ports)))
def test_order(addresses):
    assert [(a.type, a.host, a.port) for a in sorted(addresses)] == sorted((a.type, a.host, a.port) for a in addresses)


def test_order_is_only_among_their_kind():
    assert IPv4Address("TCP", "a", 1) <= IPv4Address("TCP", "a", 1)
    assert IPv4Address("TCP", "b", 1) > IPv4Address("TCP", "a", 2)
    with pytest.raises(TypeError):
        IPv4Address("TCP", "a", 1) < IPv6Address("TCP", "a", 1)
    with pytest.raises(TypeError):
        IPv4Address("TCP", "a", 1) <= ("TCP", "a", 1)


def test_other_kinds_are_never_equal():
    assert IPv4Address("TCP", "a", 1) != ("TCP", "a", 1)
    assert IPv4Address("TCP", "a", 1) != IPv6Address("TCP", "a", 1)
    assert UNIXAddress("a") != b"a"


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (IPv4Address("TCP", "127.0.0.1", 80), "IPv4Address(type='TCP', host='127.0.0.1', port=80)"),
        (IPv6Address("UDP", "::1", 80), "IPv6Address(type='UDP', host='::1', port=80, flowInfo=0, scopeID=0)"),
        (HostnameAddress(b"example.org", 80), "HostnameAddress(hostname=b'example.org', port=80)"),
        (UNIXAddress("/run/x"), "UNIXAddress('/run/x')"),
        (UNIXAddress(b"\0abstract"), r"UNIXAddress('\x00abstract')"),
        (UNIXAddress(None), "UNIXAddress(None)"),
    ],
)
def test_repr(address, text):
    assert repr(address) == text


@pytest.mark.parametrize("kind", [IPv4Address, IPv6Address])
@pytest.mark.parametrize("wrong", ["SCTP", "tcp", None, b"TCP"])
def test_the_type_is_checked(kind, wrong):
    with pytest.raises(ValueError, match="'TCP' or 'UDP'"):
        kind(wrong, "h", 1)


@pytest.mark.parametrize("address", [IPv4Address("TCP", "h", 1), HostnameAddress(b"h", 1), UNIXAddress("x")])
def test_interface(address):
    verifyObject(IAddress, address)
    assert not hasattr(address, "__dict__")


def test_unix_names():
    assert UNIXAddress("x").name == b"x"
    assert UNIXAddress(b"x").name == b"x"
    assert UNIXAddress(pathlib.Path("x")).name == b"x"
    assert UNIXAddress(None).name is None
    with pytest.raises(TypeError):
        UNIXAddress(3)


@pytest.mark.skipif(sys.platform == "win32", reason="making links takes privileges")
def test_unix_paths_to_one_file_are_equal(tmp_path):
    real, link, other = tmp_path / "real", tmp_path / "link", tmp_path / "other"
    real.touch()
    other.touch()
    link.symlink_to(real)
    assert UNIXAddress(real) == UNIXAddress(link)
    assert hash(UNIXAddress(real)) == hash(UNIXAddress(link))
    assert UNIXAddress(real) != UNIXAddress(other)
    assert UNIXAddress(real) != UNIXAddress(None)
    assert UNIXAddress(real) != UNIXAddress(tmp_path / "missing")
    assert UNIXAddress(tmp_path / "missing") != UNIXAddress(tmp_path / "missing too")


def test_unix_abstract_names_are_no_paths():
    assert UNIXAddress(b"\0one") == UNIXAddress(b"\0one")
    assert UNIXAddress(b"\0one") != UNIXAddress(b"\0other")
    assert len({UNIXAddress(b"\0one"), UNIXAddress(b"\0other")}) == 2


def test_one_is_built_quickly():
    """One for each connection: far from the half microsecond that it may cost, also on a busy machine."""

    def build(count=20_000):
        start = time.thread_time()
        for _ in range(count):
            IPv4Address("TCP", "127.0.0.1", 40000)
        return (time.thread_time() - start) / count

    assert min(build() for _ in range(5)) < 1.5e-6
