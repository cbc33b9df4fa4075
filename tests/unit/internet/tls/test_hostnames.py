"""Addresses and names."""

from __future__ import annotations

import pytest

from torsion.internet.tls.hostnames import is_address


@pytest.mark.parametrize(
    ("host", "numeric"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("example.com", False),
        ("127.0.0.1.example", False),
        ("1234", False),
        ("", False),
    ],
)
def test_what_is_an_address(host, numeric):
    assert is_address(host) == numeric
