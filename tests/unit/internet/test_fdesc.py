"""Reading and writing descriptors that may have nothing to read or no room."""

from __future__ import annotations

import os

import pytest

from torsion.internet import fdesc, main


@pytest.fixture
def pipe():
    ends = list(os.pipe())
    for end in ends:
        fdesc.setNonBlocking(end)
    yield ends
    for end in ends:
        if end >= 0:
            os.close(end)


def close(pipe, index):
    os.close(pipe[index])
    pipe[index] = -1


def test_blocking_is_set_and_cleared(pipe):
    assert not os.get_blocking(pipe[0])
    fdesc.setBlocking(pipe[0])
    assert os.get_blocking(pipe[0])


def test_what_is_there_is_handed_on(pipe):
    got: list[bytes] = []
    assert fdesc.readFromFD(pipe[0], got.append) is None
    assert got == []
    assert fdesc.writeToFD(pipe[1], b"abc") == 3
    assert fdesc.readFromFD(pipe[0], got.append) is None
    assert got == [b"abc"]


def test_one_read_is_bounded(pipe):
    os.write(pipe[1], b"x" * 10000)
    got: list[bytes] = []
    fdesc.readFromFD(pipe[0], got.append)
    assert [len(data) for data in got] == [8192]


def test_the_end(pipe):
    close(pipe, 1)
    assert fdesc.readFromFD(pipe[0], pytest.fail) is main.CONNECTION_DONE


def test_a_full_pipe_takes_nothing(pipe):
    while fdesc.writeToFD(pipe[1], b"x" * 65536):
        pass
    assert fdesc.writeToFD(pipe[1], b"x") == 0


def test_nobody_reads(pipe):
    close(pipe, 0)
    assert fdesc.writeToFD(pipe[1], b"x") is main.CONNECTION_LOST


def test_a_closed_descriptor():
    assert fdesc.readFromFD(12345, pytest.fail) is main.CONNECTION_LOST
    assert fdesc.writeToFD(12345, b"x") is main.CONNECTION_LOST
