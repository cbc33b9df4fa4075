"""Random bytes."""

from __future__ import annotations

import os

import pytest

from torsion.python import randbytes


@pytest.mark.parametrize("source", [randbytes.secureRandom, randbytes.insecureRandom])
def test_as_many_as_wanted_and_others_each_time(source):
    assert [len(source(count)) for count in (0, 1, 17)] == [0, 1, 17]
    assert source(16) != source(16)


def test_a_system_without_any(monkeypatch):
    def nothing(count):
        raise NotImplementedError

    monkeypatch.setattr(os, "urandom", nothing)
    with pytest.raises(randbytes.SecureRandomNotAvailable):
        randbytes.secureRandom(8)
    with pytest.warns(RuntimeWarning, match="non-cryptographically secure"):
        assert len(randbytes.secureRandom(8, fallback=True)) == 8


def test_bits():
    assert 0 <= randbytes.getrandbits(8) < 256
