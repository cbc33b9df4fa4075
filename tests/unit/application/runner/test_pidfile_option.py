"""``--pidfile``: what it does about files that are there."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from torsion.application.runner.errors import StartError
from torsion.application.runner.pidfile import Pidfile
from torsion.application.runner.run import Run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pid files are of POSIX systems")


class Began:
    """A run with a pid file that has been fitted."""

    def __init__(self, path, **ivars):
        self.run = Run({"pidfile": str(path), "daemon": 0}, [])
        vars(self.run).update(ivars)
        self.fitting = Pidfile()
        self.fitting.fit(self.run)

    def end(self):
        for hook in self.run.onEnd:
            hook()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "it.pid"


OURS = b"%d\n" % os.getpid()


def test_from_beginning_to_end(path):
    run = Began(path)
    assert path.read_bytes() == OURS
    assert stat.S_IMODE(path.stat().st_mode) == 0o644 & ~umask()
    run.end()
    assert not path.exists()
    run.end()


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("content", [b"", b"\n", b"999999999999999999\n", OURS, b"123456789012\n"])
def test_what_nobody_has_is_taken(path, content):
    path.write_bytes(content)
    run = Began(path)
    assert path.read_bytes() == OURS
    run.end()


@pytest.mark.parametrize("content", [b"-5\n", b"0\n", b"12x\n", b"\0" * 4000, b"dear diary\n", b"9" * 5000])
def test_what_is_no_pid_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(StartError, match="is no pid file, but holds"):
        Began(path)
    assert path.read_bytes() == content


def test_a_process_that_runs(path):
    path.write_bytes(b"%d\n" % os.getppid())
    with pytest.raises(StartError, match=f"the process {os.getppid()} "):
        Began(path)


@pytest.mark.skipif(not os.path.exists("/proc/stat"), reason="needs Linux's /proc")
def test_a_number_that_is_another_process_s_by_now(path):
    path.write_bytes(b"%d\n" % os.getppid())
    os.utime(path, (1, 1))
    Began(path).end()


@pytest.mark.parametrize("kind", ["folder", "missing folder", "link", "pipe", "device"])
def test_what_it_cannot_be(tmp_path, kind):
    path = tmp_path / "it"
    if kind == "folder":
        path.mkdir()
    elif kind == "missing folder":
        path = path / "it"
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = "/dev/null"
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(StartError, match="name another with --pidfile"):
        Began(path)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_file_that_somebody_else_has_locked(path, monkeypatch):
    import fcntl

    monkeypatch.setattr("torsion.application.runner.pidfile.PATIENCE", 0.1)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(StartError, match="is locked by another process"):
            Began(path)
    Began(path).end()


def test_a_file_that_is_removed_before_it_is_locked(path, monkeypatch):
    import fcntl

    lock = fcntl.flock

    def removed(*args):
        monkeypatch.undo()
        path.unlink()
        lock(*args)

    monkeypatch.setattr(fcntl, "flock", removed)
    run = Began(path)
    assert path.read_bytes() == OURS
    run.end()


def test_descriptors_are_closed(path):
    before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    Began(path).end()
    path.write_bytes(b"%d\n" % os.getppid())
    with pytest.raises(StartError):
        Began(path)
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before


def test_a_file_that_is_another_s_by_now_is_not_removed(path):
    run = Began(path)
    path.write_bytes(b"1\n")
    run.end()
    assert path.read_bytes() == b"1\n"


def test_a_file_that_is_gone_by_now(path):
    run = Began(path)
    path.unlink()
    run.end()


def test_where_another_process_has_the_place(path):
    path.write_bytes(b"1\n")
    run = Began(path, predecessor=1)
    assert path.read_bytes() == b"1\n"
    run.run.take_over()
    assert path.read_bytes() == OURS
    run.run.successor = 1
    run.end()
    assert path.read_bytes() == OURS


def test_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for options in ({"pidfile": None, "daemon": 0}, {"pidfile": "", "daemon": 1}):
        run = Run(options, [])
        Pidfile().fit(run)
        assert run.onEnd == []
    worker = Run({"pidfile": str(tmp_path / "it"), "daemon": 0}, [])
    worker.worker = "0:3"
    Pidfile().fit(worker)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("written", [0, 1])
@pytest.mark.parametrize("before", [None, b"", b"999999999999999999\n"])
def test_a_full_disk_leaves_nothing(path, monkeypatch, before, written):
    """The file, an empty one or a part of a number would be taken for a pid file later."""
    write = os.write

    def full(descriptor, data):
        if not written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[:written])

    if before is not None:
        path.write_bytes(before)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StartError, match="No space left on device; name another with --pidfile"):
            Began(path)
    assert not path.exists()
    Began(path).end()
