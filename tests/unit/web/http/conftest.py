"""Channels are tested both ways: with requests made natively, and one event at a time in Python."""

from __future__ import annotations

import pytest

from torsion.web.http import channel


@pytest.fixture(params=["native", "pure"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which way it is."""
    way: str = request.param
    if way == "pure":
        monkeypatch.setattr(channel, "PURE", True)
    elif channel.PURE:
        pytest.skip("this run is of the twins in Python")
    return way
