"""The real command in a process of its own: start it, wait for what it says, signal it, collect what is left.

::

    with Command("echo", "--listen", "tcp:0:interface=127.0.0.1") as server:
        number = server.port()                     # waits for a line that tells where it listens
        ...
        assert server.end() == 0                   # SIGTERM, then the exit status

Nothing here sleeps: what is waited for is a line, an end of file or the end of a process, each for ``PATIENCE`` seconds at most.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time

COMMAND = [sys.executable, "-m", "torsion"]
PATIENCE = 20
"""Seconds to wait for anything: far more than it takes, far less than a test may."""

LISTENING = r"listening on .*:(\d+)$"


class Command:
    """A running command.

    :ivar process: the ``subprocess.Popen``.
    :ivar lines: all lines seen so far of both its outputs, in the order of arrival, without their ends.
    """

    def __init__(
        self, *arguments, env=None, cwd=None, stdin=subprocess.DEVNULL, pass_fds=(), command=COMMAND, **keywords
    ):
        """Start it with *arguments*.

        :param env: variables to be added to the environment; one whose value is None is taken out.
        """
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        self.lines = []
        self._queue = queue.Queue()
        self._ports = []
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={name: value for name, value in environment.items() if value is not None},
            cwd=cwd,
            pass_fds=pass_fds,
            **keywords,
        )
        self.pid = self.process.pid
        self._out, self._err = [], []
        self._readers = [
            threading.Thread(target=self._read, args=each, daemon=True)
            for each in ((self.process.stdout, self._out), (self.process.stderr, self._err))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, kept):
        with stream:
            for line in stream:
                text = line.decode(errors="replace").rstrip("\n")
                kept.append(text)
                self._queue.put(text)
        self._queue.put(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    # --- what it says -------------------------------------------------------------------------------------------------

    def wait_for(self, pattern, patience=PATIENCE):
        """Wait for the next line, of either output, in which *pattern* is found; return the match.

        Lines that were passed over are not looked at again, but stay in ``lines``.
        """
        until = time.monotonic() + patience
        ended = 0
        while True:
            try:
                line = self._queue.get(timeout=max(until - time.monotonic(), 0))
            except queue.Empty:
                raise AssertionError(f"no line with {pattern!r} in {patience} s; it said:\n" + self.said()) from None
            if line is None:
                ended += 1
                if ended == 2 or (self.process.poll() is not None and self._queue.empty()):
                    raise AssertionError(f"it ended without a line with {pattern!r}; it said:\n" + self.said())
                continue
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found

    def port(self, patience=PATIENCE):
        """Wait for the next line that tells where it listens; return the port's number."""
        number = int(self.wait_for(LISTENING, patience)[1])
        self._ports.append(number)
        return number

    def said(self):
        """Return all that it has written so far."""
        return "\n".join(["--- standard output", *self._out, "--- standard error", *self._err])

    @property
    def out(self):
        """What it has written to standard output so far."""
        return "".join(f"{line}\n" for line in self._out)

    @property
    def err(self):
        """What it has written to standard error so far."""
        return "".join(f"{line}\n" for line in self._err)

    # --- talking to it ------------------------------------------------------------------------------------------------

    def connect(self, number=None):
        """Connect to a port of it, by default the one that it named last."""
        return socket.create_connection(("127.0.0.1", self._ports[-1] if number is None else number), timeout=PATIENCE)

    def send(self, number):
        """Send it a signal."""
        self.process.send_signal(number)

    # --- its end ------------------------------------------------------------------------------------------------------

    def end(self, number=signal.SIGTERM, patience=PATIENCE):
        """Send it a signal, and return its exit status."""
        self.send(number)
        return self.wait(patience)

    def wait(self, patience=PATIENCE):
        """Wait for its end, and return its exit status; all that it said is there then."""
        try:
            status = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it has not ended in {patience} s; it said:\n" + self.said()) from None
        for reader in self._readers:
            reader.join(patience)  # others that it started may hold its outputs open
        return status

    def kill(self):
        """End it by SIGKILL, if it runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(1)


def run(*arguments, **keywords):
    """Run the command to its end; return it, with ``process.returncode``, ``out`` and ``err``."""
    with Command(*arguments, **keywords) as command:
        command.wait()
    return command


def alive(pid):
    """Tell whether there is a process *pid* (that is no zombie, where that can be seen)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return True


def wait_for_end(pid, patience=PATIENCE):
    """Wait until there is no process *pid*, which need not be a child of this one."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        import select

        ended, _, _ = select.select([descriptor], [], [], patience)
        assert ended, f"the process {pid} has not ended in {patience} s"
    finally:
        os.close(descriptor)
