"""Restarts in the foreground of a terminal: the shell's own process stays until the last of its successors ends."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from operating.command import COMMAND, PATIENCE, alive, wait_for_end

pytestmark = pytest.mark.skipif(not hasattr(os, "tcgetpgrp"), reason="there are no jobs on this system")

JOB = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""Makes the terminal the process's own, as a login does; then becomes the command."""


class Terminal:
    """The command as a job in the foreground of a terminal."""

    def __init__(self, *arguments):
        self.said = ""
        self._ours, theirs = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", JOB, *COMMAND, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "NO_COLOR": "1", "TERM": "dumb"},
            start_new_session=True,
        )
        os.close(theirs)
        self.pid = self.process.pid
        self.successors = []

    def wait_for(self, pattern):
        """Wait until *pattern* shows; what stands before it is not looked at again."""
        until = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.said)):
            ready, _, _ = select.select([self._ours], [], [], max(until - time.monotonic(), 0))
            assert ready, f"no {pattern!r}; it said:\n{self.said}"
            data = os.read(self._ours, 65536)
            self.said += data.decode(errors="replace").replace("\r\n", "\n")
        self.said = self.said[found.end() :]
        return found

    def restart(self, pid):
        """Restart the process *pid*; return the number of its successor."""
        os.kill(pid, signal.SIGUSR2)
        successor = int(self.wait_for(r"Process (\d+) is to take the place")[1])
        self.successors.append(successor)
        self.wait_for(r"has taken the place of this one")
        self.wait_for(f"torsion has stopped, process {pid}")
        return successor

    def type(self, letters):
        os.write(self._ours, letters)

    def close(self):
        for pid in self.successors:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal():
    terminal = Terminal("echo", "--listen", "tcp:0:interface=127.0.0.1")
    yield terminal
    terminal.close()


def test_the_first_process_stays_until_the_last_has_ended(terminal):
    terminal.wait_for("Ready")
    second = terminal.restart(terminal.pid)
    third = terminal.restart(second)
    wait_for_end(second)
    assert terminal.process.poll() is None
    assert alive(third)
    terminal.type(b"\x03")  # Ctrl-C, which the terminal gives to the job
    terminal.wait_for(f"torsion has stopped, process {third}")
    assert terminal.process.wait(PATIENCE) == 0
    assert not alive(third)


def test_signals_go_on_to_the_latest(terminal):
    terminal.wait_for("Ready")
    second = terminal.restart(terminal.pid)
    terminal.wait_for(f"Process {terminal.pid} stays, for the terminal, until its successors have ended")
    os.kill(terminal.pid, signal.SIGHUP)
    terminal.wait_for("reloaded in")
    third = terminal.restart(second)
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.wait_for(f"torsion has stopped, process {third}")
    assert terminal.process.wait(PATIENCE) == 0


def test_a_last_process_that_is_killed_has_failed(terminal):
    terminal.wait_for("Ready")
    second = terminal.restart(terminal.pid)
    os.kill(second, signal.SIGKILL)
    assert terminal.process.wait(PATIENCE) == 1


def test_a_restart_that_fails_leaves_nothing_to_wait_for(tmp_path, terminal):
    terminal.wait_for("Ready")
    os.kill(terminal.pid, signal.SIGUSR2)
    successor = int(terminal.wait_for(r"Process (\d+) is to take the place")[1])
    terminal.successors.append(successor)
    os.kill(successor, signal.SIGKILL)
    if "No restart" in terminal.wait_for("No restart|has taken the place of this one")[0]:
        assert alive(terminal.pid)
        terminal.type(b"\x03")
        assert terminal.process.wait(PATIENCE) == 0
