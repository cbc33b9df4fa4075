"""``--daemon``: the process goes on in the background, and the caller is told whether it has started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from operating.command import PATIENCE, Command, alive, run, wait_for_end
from operating.plugins import PLAIN, drop_in

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")


@contextmanager
def in_background(folder, *arguments, **keywords):
    """Run the command in the background; give its number. It is gone afterwards."""
    done = run("--daemon", *arguments, cwd=folder, **keywords)
    assert done.process.returncode == 0, done.said()
    assert done.err == done.out == ""
    pid = int((folder / "torsion.pid").read_bytes())
    try:
        yield pid
    finally:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
            wait_for_end(pid)


def test_it_serves_when_its_caller_is_told_that_all_is_well(tmp_path):
    path = tmp_path / "socket"
    with in_background(tmp_path, "echo", "--listen", f"unix:{path}") as pid:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        assert os.getsid(pid) not in (os.getsid(0), pid), "a session of its own, which it does not lead"
        status = Path(f"/proc/{pid}/status").read_text()
        assert "\nUmask:\t0077\n" in status
        assert {os.readlink(f"/proc/{pid}/fd/{each}") for each in range(3)} == {"/dev/null"}
        os.kill(pid, signal.SIGTERM)
        wait_for_end(pid)
    log = (tmp_path / "torsion.log").read_text()
    assert "Received SIGTERM, shutting down." in log
    assert not (tmp_path / "torsion.pid").exists()
    assert not path.exists()
    assert (tmp_path / "torsion.log").stat().st_mode & 0o777 == 0o600


def test_what_is_named_is_of_the_folder_in_which_it_was_called(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    arguments = ("-d", "elsewhere", "-l", "my.log", "--pidfile", "torsion.pid", "--umask", "027", "-r", "native")
    with in_background(tmp_path, *arguments, "echo", "--listen", "tcp:0:interface=127.0.0.1") as pid:
        assert os.readlink(f"/proc/{pid}/cwd") == str(tmp_path / "elsewhere")
        assert "listening on 127.0.0.1:" in (tmp_path / "my.log").read_text()
        assert (tmp_path / "my.log").stat().st_mode & 0o777 == 0o640


def test_a_second_one_is_refused(tmp_path):
    with in_background(tmp_path, "echo", "--listen", "tcp:0:interface=127.0.0.1") as pid:
        done = run("--daemon", "echo", "--listen", "tcp:0:interface=127.0.0.1", cwd=tmp_path)
        assert done.process.returncode == 1
        assert f"the process {pid} (" in done.err
        assert alive(pid)


def test_a_program_that_ends_itself_as_it_is_imported(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("import sys\nsys.exit(7)\n")
    done = run("--daemon", "-y", path, cwd=tmp_path)
    assert (done.process.returncode, done.err) == (7, "")
    assert not (tmp_path / "torsion.pid").exists()


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
@pytest.mark.parametrize("daemon", ["", "--daemon"])
def test_without_any_standard_descriptors(tmp_path, daemon):
    line = f'exec "{sys.executable}" -m torsion {daemon} --pidfile pid echo --listen unix:socket <&- >&- 2>&-'
    with Command("-c", line, command=["sh"], cwd=tmp_path) as server:
        wait_for_file(tmp_path / "socket")
        pid = int((tmp_path / "pid").read_bytes())
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(tmp_path / "socket"))
                connection.sendall(b"x")
                assert connection.recv(1) == b"x"
                assert {os.readlink(f"/proc/{pid}/fd/{each}") for each in range(3)} == {"/dev/null"}
        finally:
            os.kill(pid, signal.SIGTERM)
            wait_for_end(pid)
        assert server.wait() == 0


def wait_for_file(path):
    until = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < until, f"there is no {path}"
        os.sched_yield()


SLOW = (
    PLAIN.replace("return Service()", "return Mine()")
    + """\
import os
from torsion.internet.defer import Deferred


class Mine(Service):
    def whenListening(self):
        print(os.getpid(), flush=True)
        os.write(2, b"starting %d\\n" % os.getpid())
        return Deferred()
"""
)


@pytest.mark.parametrize("whom", ["the caller", "the process"])
def test_a_signal_during_the_start(tmp_path, whom):
    with Command("--daemon", "slow", env=drop_in(tmp_path, "slow", SLOW), cwd=tmp_path) as caller:
        pid = int(caller.wait_for(r"starting (\d+)")[1])
        if whom == "the caller":
            assert caller.end(signal.SIGINT) == 128 + signal.SIGTERM
        else:
            os.kill(pid, signal.SIGTERM)
            assert caller.wait() == 128 + signal.SIGTERM
        wait_for_end(pid)
    assert not (tmp_path / "torsion.pid").exists()


def test_one_that_is_killed_during_the_start(tmp_path):
    with Command("--daemon", "slow", env=drop_in(tmp_path, "slow", SLOW), cwd=tmp_path) as caller:
        pid = int(caller.wait_for(r"starting (\d+)")[1])
        os.kill(pid, signal.SIGKILL)
        assert caller.wait() == 1
        assert caller.err.splitlines()[-1] == (
            "torsion: the process in the background has ended before it was ready, and has not said why"
        )
