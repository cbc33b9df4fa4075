"""A worker's side of listening: asks the master for its sockets."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.workers.numbering import Numbering
from torsion.internet.interfaces.handover import IListeningSockets

if TYPE_CHECKING:
    from torsion.application.workers.sockets import Wanted
    from torsion.internet.interfaces import IListeningPort
    from torsion.internet.interfaces.handover import ListeningAddress

__all__ = ["PATIENCE", "Asking"]

PATIENCE = 20.0
"""Seconds to wait for a socket.  The master does little but this; it is only late where the machine is overloaded."""

_READ = 4096
"""Bytes to read at a time: an answer is a hundred."""

_CLOSED_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
"""From the start, where that is possible: another thread may be starting a program."""


@implementer(IListeningSockets)
class Asking:
    """The ``sockets`` of a worker's reactor.

    A question is asked and its answer waited for at once: ``listenTCP`` is no Deferred's business.

    :ivar ending: whether the worker ends: its ports close then, and whoever comes after it takes them.
    """

    def __init__(self, sock: socket.socket, patience: float = PATIENCE) -> None:
        """Ask over *sock*, which becomes ours.

        :param patience: how many seconds an answer may take.
        """
        self.ending = False
        self._socket = sock
        self._socket.settimeout(patience)
        self._patience = patience
        self._ports = Numbering()
        self._last = 0
        self._unread = b""

    def take(self, address: ListeningAddress, port: IListeningPort) -> socket.socket:
        """Return a socket that listens already, or is bound, for datagrams; see ``IListeningSockets``.

        :raises OSError: if the master cannot have it, with the system's reason; or does not answer.
        """
        return self._ask(self._ports.wanted(address, port))

    def opened(self, address: ListeningAddress, port: IListeningPort) -> None:
        """Note a port; see ``IListeningSockets``."""
        self._ports.opened(address, port)

    def closed(self, address: ListeningAddress, port: IListeningPort) -> None:
        """Tell the master that this worker listens there no more; when none does, it does not either."""
        given = self._ports.closed(address, port)
        if given is not None and not self.ending:
            try:
                self._send({"closed": list(given)})
            except OSError:
                pass  # the master is gone, and so shall we be

    def _send(self, line: dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(line).encode() + b"\n")

    def _ask(self, wanted: Wanted) -> socket.socket:
        self._last = number = self._last + 1
        try:
            self._send({"id": number, "take": list(wanted)})
            while True:
                answer, descriptors = self._answer()
                if answer.get("id") == number:
                    break
                _close(descriptors)  # the answer to a question that was given up
        except TimeoutError as problem:
            raise OSError(
                problem.errno or 0,
                f"the master did not hand over a socket for {wanted} within {self._patience:g} seconds",
            ) from problem
        if descriptors and answer.get("taken"):
            _close(descriptors[1:])
            return socket.socket(fileno=descriptors[0])
        _close(descriptors)
        raise OSError(int(answer.get("errno", 0)), str(answer.get("error", "the master sent no socket")))

    def _answer(self) -> tuple[dict[str, Any], list[int]]:
        """Return the next line of the master, and the descriptors that came with it."""
        descriptors: list[int] = []
        try:
            while b"\n" not in self._unread:
                data, came, _, _ = socket.recv_fds(self._socket, _READ, 1, _CLOSED_ON_EXEC)
                for each in came:
                    os.set_inheritable(each, False)
                descriptors += came
                if not data:
                    raise ConnectionResetError("the master is gone, and hands over no more sockets")
                self._unread += data
            line, _, self._unread = self._unread.partition(b"\n")
            answer = json.loads(line)
        except BaseException:
            _close(descriptors)
            raise
        return answer, descriptors

    def close(self) -> None:
        """Ask no more."""
        self._socket.close()


def _close(descriptors: list[int]) -> None:
    for each in descriptors:
        os.close(each)
