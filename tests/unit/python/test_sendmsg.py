"""Messages with open files."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from torsion.python.sendmsg import SCM_RIGHTS, getSocketFamily, recvmsg, sendmsg

pytestmark = pytest.mark.skipif(not hasattr(socket.socket, "sendmsg"), reason="the system has no such messages")


@pytest.fixture
def pair():
    first, second = socket.socketpair()
    with first, second:
        yield first, second


def test_data(pair):
    assert sendmsg(pair[0], b"hello") == 5
    assert recvmsg(pair[1]) == (b"hello", [], 0)
    sendmsg(pair[0], b"hello")
    assert recvmsg(pair[1], maxSize=2).data == b"he"


def test_open_files(pair):
    reader, writer = os.pipe()
    sendmsg(pair[0], b"x", [(socket.SOL_SOCKET, SCM_RIGHTS, struct.pack("i", writer))])
    os.close(writer)
    [(level, kind, packed)] = recvmsg(pair[1]).ancillary
    assert (level, kind) == (socket.SOL_SOCKET, SCM_RIGHTS)
    [received] = struct.unpack("i", packed)
    os.write(received, b"through")
    os.close(received)
    assert os.read(reader, 100) == b"through"
    os.close(reader)


def test_errors_and_flags(pair):
    with pytest.raises(BlockingIOError):
        recvmsg(pair[1], flags=socket.MSG_DONTWAIT)
    pair[0].close()
    with pytest.raises(OSError):
        sendmsg(pair[0], b"x")


def test_families(pair):
    assert getSocketFamily(pair[0]) == socket.AF_UNIX
