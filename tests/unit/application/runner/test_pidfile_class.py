"""Pid files as objects: ``_pidfile``."""

from __future__ import annotations

import errno
import os

import pytest
from zope.interface.verify import verifyObject

from torsion.application.runner import _pidfile
from torsion.application.runner._pidfile import (
    AlreadyRunningError,
    InvalidPIDFileError,
    IPIDFile,
    NonePIDFile,
    NoPIDFound,
    PIDFile,
    StalePIDFileError,
)
from torsion.python.filepath import FilePath


@pytest.fixture
def file(tmp_path):
    return PIDFile(FilePath(str(tmp_path / "it.pid")))


def test_interfaces(file):
    assert verifyObject(IPIDFile, file)
    assert verifyObject(IPIDFile, NonePIDFile())


def test_one_that_is_not_there(file):
    with pytest.raises(NoPIDFound):
        file.read()
    assert file.isRunning() is False


def test_while_it_is_held(file):
    with file as held:
        assert held is file
        assert file.filePath.getContent() == b"%d\n" % os.getpid()
        assert file.isRunning()
        with pytest.raises(AlreadyRunningError, match=str(os.getpid())), file:
            pass
    assert not file.filePath.exists()


@pytest.mark.parametrize("content", [b"", b"one\n"])
def test_no_number(file, content):
    file.filePath.setContent(content)
    with pytest.raises(InvalidPIDFileError, match="non-integer PID value"):
        file.isRunning()


@pytest.mark.skipif(os.name != "posix", reason="elsewhere it cannot be asked whether there is a process")
@pytest.mark.parametrize(
    ("number", "running"), [(errno.ESRCH, None), (errno.EPERM, True), (errno.EIO, None), (None, True)]
)
def test_whether_it_runs(file, monkeypatch, number, running):
    def kill(pid, signal):
        assert (pid, signal) == (1337, 0)
        if number is not None:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(_pidfile, "kill", kill)
    file.filePath.setContent(b"1337\n")
    if running:
        assert file.isRunning()
    else:
        with pytest.raises(StalePIDFileError if number == errno.ESRCH else OSError):
            file.isRunning()


def test_elsewhere_it_cannot_be_told(file, monkeypatch):
    file.filePath.setContent(b"1\n")
    monkeypatch.setattr(_pidfile.os, "name", "nt")
    with pytest.raises(NotImplementedError, match="nt"):
        file.isRunning()


def test_none():
    none = NonePIDFile()
    with none as held:
        assert held is none
    assert none.isRunning() is False
    with pytest.raises(NoPIDFound):
        none.read()
    with pytest.raises(OSError, match="to be written"):
        none.writeRunningPID()
    with pytest.raises(OSError, match="to be removed"):
        none.remove()
