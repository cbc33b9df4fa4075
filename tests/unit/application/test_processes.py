"""Processes that are known by a number."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from torsion.application.processes import MOST, SLACK_SECONDS, began, began_after, exists

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are not asked for there")


@pytest.fixture
def gone():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_there_is_one(gone):
    assert exists(os.getpid())
    assert exists(1)
    assert not exists(gone)
    assert not exists(2**70)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there is known that a process has ended")
def test_one_that_has_ended_and_nobody_has_waited_for():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        os.kill(process.pid, 0)  # it has its number still
        assert not exists(process.pid)


def test_numbers_fit():
    assert exists(MOST) in (True, False)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there is known when a process began")
def test_when_it_began(gone):
    found = began(os.getpid())
    assert time.time() - 24 * 3600 < found <= time.time() + SLACK_SECONDS
    assert began(gone) is None
    assert began_after(os.getpid(), found - SLACK_SECONDS - 1)
    assert not began_after(os.getpid(), found)
    assert not began_after(gone, 0)
