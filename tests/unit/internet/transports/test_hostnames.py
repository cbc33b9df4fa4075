"""Host names in other alphabets."""

from __future__ import annotations

import sys

import pytest

from torsion.internet.transports.hostnames import to_ascii


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("host.example", "host.example"),
        ("Host.EXAMPLE.", "host.example"),
        ("_sip._tcp.example", "_sip._tcp.example"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("B\u00dcCHER.example", "xn--bcher-kva.example"),
        ("b\u00fccher.example.", "xn--bcher-kva.example"),
    ],
)
@pytest.mark.parametrize("library", [True, False])
def test_names(monkeypatch, name, expected, library):
    if not library:
        monkeypatch.setitem(sys.modules, "idna", None)
    assert to_ascii(name) == expected


def test_the_newer_rules():
    pytest.importorskip("idna")
    assert to_ascii("stra\u00dfe.example") == "xn--strae-oqa.example"


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", "x" * 64, "x." * 128, "a b", "a\n", "\u00fc" * 70, "\u00fc" + "." * 3 + "\u00fc"]
)
def test_what_can_be_none(name):
    with pytest.raises(ValueError):
        to_ascii(name)
