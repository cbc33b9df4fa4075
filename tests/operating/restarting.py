"""A service with a pid file that is restarted, and whose processes are all ended in the end; clients that keep it busy."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path

from operating.command import PATIENCE, Command, alive, run, wait_for_end
from torsion.application.control.client import ask
from torsion.application.localpeer import connectLocally


class Restarted(Command):
    """A command with a pid file in *folder*; whichever process the file names is the one that is meant.

    :ivar pids: all processes that there were.
    """

    def __init__(self, folder, *arguments, **keywords):
        self.folder = Path(folder)
        self.pidfile = self.folder / "t.pid"
        super().__init__("--pidfile", self.pidfile, *arguments, cwd=str(folder), **keywords)
        self.pids = [self.pid]

    def now(self):
        """Return the number in the pid file."""
        found = int(self.pidfile.read_text())
        if found not in self.pids:
            self.pids.append(found)
        return found

    def tool(self, verb, *options):
        """Run ``torsion reload``, ``restart`` or ``stop`` for it; return the finished command."""
        done = run(verb, "--pidfile", self.pidfile, *options)
        self._look()
        return done

    def _look(self):
        """Know of the process that the pid file names, if it names one."""
        if self.pidfile.exists() and self.pidfile.read_text():
            self.now()

    def ask(self, verb):
        """Do as these tools do, in this process; return whether it was done, and what there is to say."""
        return ask(f"{self.pidfile}.control", verb, PATIENCE)

    def restart(self):
        """Restart it; return the new process's number."""
        before = self.now()
        done, text = self.ask("restart")
        assert done, text + self.said()
        after = self.now()
        assert after != before
        return after

    def stop(self):
        """Stop it, and wait until all its processes are gone."""
        done, text = self.ask("stop")
        assert done, text + self.said()
        self.process.wait(PATIENCE)
        for pid in self.pids[1:]:
            wait_for_end(pid)
        for reader in self._readers:
            reader.join(PATIENCE)

    def kill(self):
        """End all its processes by SIGKILL."""
        self._look()
        for pid in self.pids[1:]:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        super().kill()


def descriptors(service):
    """Return how many descriptors *service* has open when nothing goes on, besides one that is asked over."""
    with connectLocally(f"{service.pidfile}.control", PATIENCE) as connection, connection.makefile("rwb") as file:
        for _ in range(3):  # each is a turn of its reactor at least, in which it does what was to be done
            file.write(b'{"do": "ping"}\n')
            file.flush()
            assert b"begun" in file.readline()
            assert b"ready" in file.readline()
        return len(os.listdir(f"/proc/{service.now()}/fd"))


def says(connection, text):
    """See to it that an echo answers."""
    connection.sendall(text)
    got = b""
    while len(got) < len(text):
        more = connection.recv(65536)
        assert more, f"the connection ended after {got!r}"
        got += more
    assert got == text


class Load:
    """Clients that connect, are answered, and connect again, until they are told to stop.

    :ivar served: how many connections were served from beginning to end.
    :ivar problems: what went wrong with the others.
    """

    def __init__(self, connect, clients=4):
        self.served = 0
        self.problems = []
        self._connect = connect
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def _run(self):
        while not self._stop.is_set():
            try:
                with self._connect() as connection:
                    says(connection, b"a line\n")
                    connection.shutdown(socket.SHUT_WR)
                    assert connection.recv(1) == b""
            except (OSError, AssertionError) as problem:
                self.problems.append(problem)
            else:
                with self._lock:
                    self.served += 1

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
