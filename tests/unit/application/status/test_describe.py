"""Words for objects that may refuse to be described."""

from __future__ import annotations

from functools import partial

import pytest

from torsion.application.status.describe import MAX_TEXT, address_text, bounded, call_text, class_text
from torsion.internet.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.task import LoopingCall


class Stock:
    def count(self):
        pass

    @classmethod
    def make(cls):
        pass

    def __call__(self):
        pass


class Secretive:
    def __getattribute__(self, name):
        raise RuntimeError("none of your business")

    def __call__(self):
        pass


class Liar:
    @property
    def __self__(self):
        raise RuntimeError

    def __call__(self):
        pass


def test_texts_are_bounded_and_whole():
    assert bounded("x" * MAX_TEXT) == "x" * MAX_TEXT
    long = bounded("begin" + "x" * 1000 + "end")
    assert len(long) == MAX_TEXT
    assert long.startswith("begin")
    assert long.endswith("end")
    assert "…" in long
    bounded("half \ud800 letter").encode()


@pytest.mark.parametrize(
    ("call", "end"),
    [
        (Stock().count, "test_describe.Stock.count"),
        (Stock.make, "test_describe.Stock.make"),
        (Stock(), "test_describe.Stock"),
        (bounded, "torsion.application.status.describe.bounded"),
        (partial(Stock().count), "Stock.count)"),
        (partial(partial(partial(partial(partial(partial(bounded)))))), ")"),
        (lambda: None, "<lambda>"),
        (print, "print"),
        ([].append, "builtins.list.append"),
        (LoopingCall(Stock().count), "Stock.count)"),
        (LoopingCall(Stock().count)._reschedule if hasattr(LoopingCall, "_reschedule") else LoopingCall(bounded), ")"),
        (None, "builtins.NoneType"),
    ],
)
def test_calls(call, end):
    assert call_text(call).endswith(end)


@pytest.mark.parametrize("kind", [Secretive, Liar])
def test_things_that_do_not_want_to_be_described(kind):
    thing = kind()
    assert isinstance(call_text(thing), str)
    assert isinstance(class_text(thing), str)
    assert isinstance(address_text(thing), str)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (IPv4Address("TCP", "192.0.2.1", 80), "192.0.2.1:80"),
        (IPv6Address("TCP", "2001:db8::1", 80), "[2001:db8::1]:80"),
        (HostnameAddress(b"a.example", 80), "a.example:80"),
        (UNIXAddress(b"/run/x"), "/run/x"),
        (UNIXAddress(b"\0x"), "@x"),
        (UNIXAddress(b"/\xff"), "/\ufffd"),
        (UNIXAddress(None), ""),
        (None, ""),
        ("anything", "anything"),
    ],
)
def test_addresses(address, text):
    assert address_text(address).endswith(text)
