"""``torsion top`` at a terminal, and in scripts."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from operating.command import COMMAND, PATIENCE, Command, run
from operating.pages import figures

pyte = pytest.importorskip("pyte", reason="pyte is in the dependency group 'test'")

APP = pathlib.Path(__file__).with_name("status_app.py")
STATUS = r"Status at (\S+)"


class Terminal:
    """A command at a terminal of its own, and what its screen shows."""

    def __init__(self, *arguments, lines=30, columns=110, **environment):
        self.master, slave = pty.openpty()
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._size(lines, columns)
        self.before = termios.tcgetattr(slave)
        # A shell that makes the terminal its own, as a terminal's shell does: keys such as Ctrl-C become signals then.
        code = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *COMMAND[1:], "top", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **environment},
        )
        self.slave = slave

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.slave)
        os.close(self.master)

    def _size(self, lines, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, lines, columns):
        self.screen.resize(lines, columns)
        self._size(lines, columns)  # the kernel tells the program

    def type(self, keys):
        os.write(self.master, keys.encode())

    def read(self, seconds):
        """Take in what the program writes next; say whether there was something."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError as problem:
            if problem.errno != errno.EIO:
                raise
            return False
        self.raw += data
        self._stream.feed(data)
        return True

    @property
    def shown(self):
        return "\n".join(self.screen.display)

    def wait_for(self, pattern, *, gone=False):
        """Wait until the screen shows *pattern*, or does no more."""
        late = time.monotonic() + PATIENCE
        while time.monotonic() < late:
            found = re.search(pattern, self.shown)
            if bool(found) is not gone:
                return found
            self.read(0.2)
        raise AssertionError(f"{'still' if gone else 'no'} {pattern!r} in {PATIENCE} s:\n{self.shown}")

    def end(self):
        """Wait for the end; return the exit status.  All is as before then."""
        status = self.process.wait(PATIENCE)
        while self.read(0.05):
            pass
        assert self.raw.endswith(b"\x1b[?7h\x1b[?25h\x1b[?1049l")
        assert termios.tcgetattr(self.slave) == self.before
        return status


@pytest.fixture(scope="module")
def shop():
    with Command("--status", "tcp:0", "--slow", "0.05", "-y", APP) as command:
        command.url = command.wait_for(STATUS)[1]
        numbers = [int(each["address"].rpartition(":")[2]) for each in figures(command.url)["listeners"]]
        held = [command.connect(number) for number in numbers for _ in range(3)]
        for number, connection in enumerate(held):
            connection.sendall(b"x" * 10**number)
            connection.recv(1)
        held[0].sendall(b"fail")
        held[1].sendall(b"slow")
        held[1].recv(4)
        yield command
        for connection in held:
            connection.close()


@pytest.mark.parametrize("plain", [["--plain"], []], ids=["plain", "rich"])
def test_what_it_shows(shop, plain):
    if not plain:
        pytest.importorskip("rich", reason="rich is in the extra 'console'")
    with Terminal(*plain, "-n", "0.2", shop.url) as terminal:
        terminal.wait_for(rf"torsion -y status_app\.py  ● ready   pid {shop.pid}")
        terminal.wait_for(r"connections 6 .* errors 1 ")
        terminal.wait_for(r"lag .*[▁▂▃▄▅▆▇█]")
        terminal.wait_for(r"Connections  6 open, by interest")
        terminal.wait_for(r"peer +protocol +kind +age +read +sent +outbox")
        terminal.wait_for(r"127\.0\.0\.1:\d+ +OrderProtocol +TCP")
        terminal.wait_for(r"Unhandled errors  1")
        terminal.wait_for(r"LookupError +no such article: <img")
        terminal.wait_for(r"Slow callbacks  \d over 50 ms")
        assert "q leave" in terminal.screen.display[-1]
        assert "\u202e" not in terminal.shown
        terminal.wait_for(r"cpu \d+%")  # there was a second answer
        terminal.type("q")
        assert terminal.end() == 0


def test_keys(shop):
    def sent():
        return re.findall(r"TCP +\d+ s +\S+ \S+ +(\S+ \S+)", terminal.shown)

    with Terminal("--plain", "-n", "0.2", shop.url) as terminal:
        terminal.wait_for("by interest")
        terminal.type("s")
        terminal.wait_for("by peer")
        terminal.wait_for("peer ↓")
        terminal.type("ssss")
        terminal.wait_for("by written")
        down = sent()
        terminal.type("r")
        terminal.wait_for("by written, turned round")
        assert sent() == down[::-1]
        terminal.type("p")
        terminal.wait_for("PAUSED")
        with shop.connect(int(figures(shop.url)["listeners"][0]["address"].rpartition(":")[2])):
            before = figures(shop.url)["time"]
            while figures(shop.url)["time"] < before + 0.6:
                terminal.read(0)
            assert "connections 6 " in terminal.shown
            terminal.type("p")
            terminal.wait_for("connections 7 ")
        terminal.type("Q")
        assert terminal.end() == 0


def test_another_size(shop):
    with Terminal("--plain", "-n", "0.2", shop.url) as terminal:
        terminal.wait_for("by interest")
        terminal.resize(12, 60)
        terminal.wait_for(r"\Atorsion -y status_app\.py  ● ready")
        terminal.wait_for(r"\nq leave [^\n]*\Z")
        terminal.wait_for("by interest")
        terminal.wait_for("Unhandled errors", gone=True)  # connections come first
        terminal.resize(40, 130)
        terminal.wait_for("Unhandled errors")
        terminal.resize(3, 9)
        terminal.resize(30, 110)
        terminal.wait_for("Unhandled errors")
        terminal.type("q")
        assert terminal.end() == 0


@pytest.mark.parametrize("end", ["\x03", signal.SIGTERM, signal.SIGHUP])
def test_other_ends(shop, end):
    with Terminal("--plain", shop.url) as terminal:
        terminal.wait_for("by interest")
        if isinstance(end, str):
            terminal.type(end)
        else:
            terminal.process.send_signal(end)
        assert terminal.end() == 0
        assert b"Traceback" not in terminal.raw


def test_a_while_in_the_background(shop):
    with Terminal("--plain", "-n", "0.2", shop.url) as terminal:
        terminal.wait_for("by interest")
        terminal.type("\x1a")
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOWAIT)
        while terminal.read(0.05):
            pass
        assert terminal.raw.endswith(b"\x1b[?1049l")
        assert termios.tcgetattr(terminal.slave) == terminal.before
        terminal.screen.reset()
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for("by interest")
        terminal.type("q")
        assert terminal.end() == 0


def test_a_process_that_goes_and_comes_back():
    with Command("--status", "tcp:0", "echo", "--listen", "tcp:0:interface=127.0.0.1") as command:
        url = command.wait_for(STATUS)[1]
        number = url.rstrip("/").rpartition(":")[2]
        with Terminal("--plain", "-n", "0.1", number) as terminal:
            terminal.wait_for(f"pid {command.pid}")
            assert command.end() == 0
            terminal.wait_for(f"{number} does not answer: Connection refused; trying again")
            assert "torsion echo" in terminal.shown  # what was last known stays
            with Command("--status", f"tcp:{number}", "echo", "--listen", "tcp:0:interface=127.0.0.1") as again:
                terminal.wait_for(f"pid {again.pid}")
                terminal.wait_for("does not answer", gone=True)
            terminal.type("q")
            assert terminal.end() == 0


# --- in scripts


def test_once(shop):
    done = run("top", "--once", shop.url)
    assert done.process.returncode == 0
    assert f"pid {shop.pid}" in done.out
    assert "Connections  6 open" in done.out
    assert "\x1b" not in done.out
    assert done.err == ""


def test_json(shop):
    done = run("top", "--once", "--json", shop.url.removeprefix("http://").rstrip("/"))
    assert json.loads(done.out)["process"]["pid"] == shop.pid


def test_a_unix_socket(tmp_path):
    path = tmp_path / "status"
    with Command("--status", path, "echo", "--listen", "tcp:0:interface=127.0.0.1") as command:
        command.wait_for(STATUS)
        assert f"pid {command.pid}" in run("top", "--once", path).out
        assert f"pid {command.pid}" in run("top", "--once", f"unix:{path}").out


def test_something_else_is_there():
    with Command("echo", "--listen", "tcp:0:interface=127.0.0.1") as command:
        done = run("top", "--once", f"127.0.0.1:{command.port()}")
    assert done.process.returncode == 1
    assert "what it says is no HTTP" in done.err
