"""What is told of paths of Unix sockets that cannot be had; the rest of it is tested with ports, in tests/contract."""

from __future__ import annotations

import errno
import os
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")


def test_a_socket_that_was_left_over_may_be_removed_and_one_that_is_served_may_not(tmp_path) -> None:
    from torsion.internet.transports.unixpath import SocketFile, explain

    path = os.fsencode(tmp_path / "s")
    taken = explain(path, OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE)))
    assert "remove the file (with wantPID=True" in str(taken)
    SocketFile(path, locked=True).claim()
    with pytest.raises(
        OSError, match=f"process {os.getpid()} holds the lock .*: end that, or take another path$"
    ) as told:
        SocketFile(path, locked=True).claim()
    assert explain(path, told.value) is told.value
