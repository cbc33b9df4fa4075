"""Names that Twisted keeps in ``internet.base``."""

from __future__ import annotations

from torsion.internet import base


def test_names():
    assert base.__all__ == sorted(base.__all__)
    assert {"BlockingResolver", "DelayedCall", "ReactorBase", "ThreadedResolver"} <= set(base.__all__)
    for name in base.__all__:
        assert getattr(base, name).__name__ == name
