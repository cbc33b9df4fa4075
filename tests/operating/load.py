"""A load of clients that keeps running while something is done to the server, and counts what went wrong.

It expects a server that greets each connection with one byte, its version, and then sends back what it gets.  *Held* connections are
opened at the beginning and stay: on each, numbered blocks are sent one after the other, and what comes back is compared byte by
byte.  *Fleeting* ones connect, have one block sent back, and go, again and again; what is refused or cut is counted.
"""

from __future__ import annotations

import collections
import errno
import selectors
import socket
import struct
import threading
import time

from operating.command import PATIENCE

BLOCK = 64
"""Bytes in a block: the connection's number and the block's, repeated."""

TELL_SECONDS = 0.02
"""How often the test's thread may look how far it has come: to look at a thousand connections takes time, which the load needs."""


def _block(connection, number):
    return struct.pack(">II", connection, number) * (BLOCK // 8)


class _Connection:
    """One connection to the server; what it has to do it does as far as it can when it is told that it may."""

    def __init__(self, number, address):
        self.number = number
        self.version = None
        self.blocks = 0
        self._expected = b""
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(address)

    def fileno(self):
        return self.socket.fileno()

    def ready(self):
        """Read what there is; return how many blocks came back, after the greeting.  Raise OSError if the connection is no good."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return 0
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, "it was closed")
        if self.version is None:
            self.version, data = data[:1], data[1:]
            self._send()
        if not data:
            return 0
        assert self._expected.startswith(data), f"connection {self.number} got {data!r} in place of {self._expected!r}"
        self._expected = self._expected[len(data) :]
        if self._expected:
            return 0
        self.blocks += 1
        return 1

    def _send(self):
        self._expected = _block(self.number, self.blocks)
        sent = self.socket.send(self._expected)  # into a buffer that is empty
        assert sent == BLOCK

    def again(self):
        self._send()

    def close(self, *, abort=False):
        if abort:  # by a reset, which leaves no port in TIME_WAIT: there are only so many
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Load:
    """The load; a context manager, within which it runs.

    :ivar refused: how many times a connection was refused.
    :ivar cut: what ended connections that had not got all they should.
    :ivar served: how many fleeting connections were served, by the server's version.
    """

    def __init__(self, port, held=0, fleeting=4):
        self._address = ("127.0.0.1", port)
        self.held = [_Connection(number, self._address) for number in range(held)]
        self._fleeting = fleeting
        self.refused = 0
        self.cut = []
        self.wrong = []
        self.served = collections.Counter()
        self._selector = selectors.DefaultSelector()
        self._changed = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    # --- in the test's thread -----------------------------------------------------------------------------------------

    def __enter__(self):
        self._thread.start()
        self.go_on()
        return self

    def __exit__(self, *_):
        self._ending = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def go_on(self, blocks=2, fleeting=20):
        """Wait until each held connection has got *blocks* more, and so many more fleeting ones were served; check that all went well."""
        wanted = {each: each.blocks + blocks for each in self.held}
        served = sum(self.served.values()) + (fleeting if self._fleeting else 0)
        self.wait(lambda: all(each.blocks >= number for each, number in wanted.items()) and self.total() >= served)
        self.check()

    def wait(self, condition, patience=PATIENCE):
        """Wait for a condition, or for something to go wrong."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.wrong or condition(), patience), f"not in {patience} s: {self!r}"
        assert not self.wrong, self.wrong

    def total(self):
        return sum(self.served.values())

    def check(self):
        """Assert that nothing was refused, cut or lost."""
        assert not self.wrong, self.wrong
        assert (self.refused, self.cut) == (0, [])

    def release(self):
        """Close the held connections."""
        released, self.held = self.held, []
        self._released = released
        self.wait(lambda: not self._released)

    def __repr__(self):
        slowest = min((each.blocks for each in self.held), default=None)
        return f"<{len(self.held)} held, the slowest has {slowest} blocks; served {dict(self.served)}, refused {self.refused}, cut {self.cut}>"

    # --- in its own ---------------------------------------------------------------------------------------------------

    _released = ()

    def _run(self):
        try:
            for each in self.held:
                self._selector.register(each, selectors.EVENT_READ)
            for number in range(self._fleeting):
                self._open(1_000_000 + number)
            told = 0.0
            while not self._ending:
                for key, _ in self._selector.select(TELL_SECONDS):
                    self._serve(key.fileobj)
                for each in self._released:
                    self._selector.unregister(each)
                    each.close()
                self._released = ()
                if time.monotonic() >= told + TELL_SECONDS:
                    told = time.monotonic()
                    with self._changed:
                        self._changed.notify_all()
        except BaseException as problem:
            self.wrong.append(problem)
            with self._changed:
                self._changed.notify_all()
            raise
        finally:
            for key in list(self._selector.get_map().values()):
                key.fileobj.close(abort=True)
            self._selector.close()

    def _open(self, number):
        self._selector.register(_Connection(number, self._address), selectors.EVENT_READ)

    def _serve(self, connection):
        try:
            got = connection.ready()
        except ConnectionRefusedError:
            self.refused += 1
            self._lost(connection)
        except OSError as problem:
            self.cut.append((connection.number, connection.version, connection.blocks, str(problem)))
            self._lost(connection)
        else:
            if not got:
                return
            if connection.number < 1_000_000:
                connection.again()
            else:
                self.served[connection.version] += 1
                self._selector.unregister(connection)
                connection.close(abort=True)
                self._open(connection.number)

    def _lost(self, connection):
        self._selector.unregister(connection)
        connection.close()
        if connection.number >= 1_000_000:
            self._open(connection.number)
        elif connection in self.held:
            self.held.remove(connection)
