"""How often the watchdog wants to hear of a run."""

from __future__ import annotations

import os

import pytest

from torsion.application.runner.notify import _interval


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        ("10000000", None, 5.0),
        ("10000000", str(os.getpid()), 5.0),
        ("10000000", "1", None),
        ("1", None, 5e-07),
        ("0", None, None),
        ("-1", None, None),
        ("often", None, None),
        ("²", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_interval(monkeypatch, usec, pid, seconds):
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert _interval() == seconds
