"""The user, the group, the umask, the root and the folder that the command's process runs with; as root only."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from operating.command import Command, run

ECHO = ("echo", "--listen")

pytestmark = pytest.mark.skipif(
    not (hasattr(os, "geteuid") and os.geteuid() == 0 and Path("/proc/self/status").exists()),
    reason="needs root, and Linux's /proc",
)


def status_of(pid, name):
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return line.split()[1:]


@pytest.fixture
def nobody():
    import pwd

    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        pytest.skip("there is no user nobody")


@pytest.fixture
def folder(tmp_path):
    """A folder that others can reach."""
    folder = Path("/tmp").joinpath(f"torsion-test-{os.getpid()}")  # tmp_path is root's alone
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


def test_another_user(folder, nobody):
    log, pid = folder / "it.log", folder / "it.pid"
    arguments = ("-u", "nobody", "-l", log, "--pidfile", pid, "--umask", "027", *ECHO, f"unix:{folder}/socket")
    with Command(*arguments, cwd=folder) as server:
        server_gone_when(server, lambda: (folder / "socket").exists() and "listening" in log.read_text())
        assert status_of(server.pid, "Uid") == [str(nobody.pw_uid)] * 4
        assert status_of(server.pid, "Gid") == [str(nobody.pw_gid)] * 4
        assert "0" not in status_of(server.pid, "Groups")
        assert status_of(server.pid, "Umask") == ["0027"]
        assert log.stat().st_uid == nobody.pw_uid, "so that it can be opened again"
        assert f"Runs as the user {nobody.pw_uid} and the group {nobody.pw_gid}" in log.read_text()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(folder / "socket"))
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        assert server.end() == 0
    assert pid.read_bytes() == b"", "it could not be removed any more, but names nobody"
    with Command("--pidfile", pid, *ECHO, "tcp:0:interface=127.0.0.1") as server:
        server.port()
        assert server.end() == 0


def server_gone_when(server, there):
    """Wait until *there* is true, while the server runs."""
    import time

    until = time.monotonic() + 20
    while not there():
        assert server.process.poll() is None, server.said()
        assert time.monotonic() < until, server.said()
        os.sched_yield()


def free_port_of_root():
    for number in range(1023, 900, -1):
        with suppress(OSError), socket.create_server(("127.0.0.1", number)):
            return number
    pytest.skip("there is no free port below 1024")


def test_ports_below_1024_are_taken_before_root_is_left(nobody):
    number = free_port_of_root()
    arguments = ("-u", str(nobody.pw_uid), "-g", str(nobody.pw_gid), *ECHO, f"tcp:{number}:interface=127.0.0.1")
    with Command(*arguments) as server:
        assert server.port() == number
        assert status_of(server.pid, "Uid") == [str(nobody.pw_uid)] * 4
        assert server.end() == 0


def test_who_is_not_root_cannot_be_another(folder, nobody):
    try:
        subprocess.run([sys.executable, "-c", ""], user=nobody.pw_uid, check=True, capture_output=True, timeout=30)
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip("nobody may not run this Python; tests/unit/application/runner tries the same with less")
    for option in ("-u0", "-g0", "--chroot=/"):
        done = run(option, *ECHO, "tcp:0:interface=127.0.0.1", cwd=folder, user=nobody.pw_uid, group=nobody.pw_gid,
                   extra_groups=[], env={"HOME": str(folder)})  # fmt: skip
        assert done.process.returncode == 1, done.said()
        assert "needs root" in done.err
        assert "Traceback" not in done.err


def test_the_user_of_an_application(folder, nobody):
    path = folder / "mine.py"
    path.write_text(
        "from torsion.application.service import Application\n"
        "from torsion.application.strports import service\n"
        "from torsion.internet.protocol import Factory\n"
        f"application = Application('mine', uid={nobody.pw_uid}, gid={nobody.pw_gid})\n"
        f"service('unix:{folder}/socket', Factory()).setServiceParent(application)\n"
    )
    with Command("-y", path) as server:
        server.wait_for("Runs as the user")
        assert status_of(server.pid, "Uid") == [str(nobody.pw_uid)] * 4
        server_gone_when(server, (folder / "socket").exists)


def test_another_root(folder):
    (folder / "within").mkdir()
    with Command("--chroot", folder, "-d", "/within", *ECHO, "unix:/socket") as server:
        server.wait_for("listening on /socket")
        assert os.readlink(f"/proc/{server.pid}/root") == str(folder)
        assert os.readlink(f"/proc/{server.pid}/cwd") == str(folder / "within")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(folder / "socket"))
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        assert server.end() == 0
        assert "Traceback" not in server.said()
    assert not (folder / "socket").exists()


def test_folders_that_are_not_there(folder):
    for option in ("--chroot", "--rundir"):
        done = run(option, folder / "nowhere", *ECHO, "tcp:0:interface=127.0.0.1")
        assert done.process.returncode == 1
        assert "No such file or directory" in done.err
        assert done.err.count("\n") == 1
