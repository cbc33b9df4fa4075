"""The master's side of listening: owns the sockets, and hands each worker the one that it asks for.

A worker asks with a JSON line over a socket pair of its own, ``{"id": 1, "take": ["TCP", "0.0.0.0", 8080, 0, 50, 438, false]}``;
the answer is ``{"id": 1, "taken": true}``, whose first byte carries the descriptor (SCM_RIGHTS in unix(7)), or ``{"id": 1,
"errno": 98, "error": "Address already in use"}``.  Sockets stay open here as long as the master runs: what waits in the
queue of a worker that was killed is served by its successor, and nobody is refused meanwhile.  Only when all workers that
listened at an address have closed their ports there, ``{"closed": [...]}``, it is given up.
"""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any

from torsion.application.workers.sockets import Shared, Wanted, listen
from torsion.application.workers.steering import MOST, steer
from torsion.logger import Logger
from torsion.protocols.basic import LineOnlyReceiver

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

    from torsion.python.failure import Failure

__all__ = ["LONGEST_QUESTION", "MOST_ADDRESSES", "Broker", "Desk"]

_log = Logger("torsion.application.workers")

MOST_ADDRESSES = 256
"""How many addresses one command may listen at.  More than programs have, and with a socket for each of eight workers still
far from the number of descriptors that systems allow."""

LONGEST_QUESTION = 8192
"""Bytes in a question: a path of the longest kind, each of its bytes escaped, is a tenth of that."""


class Broker:
    """Owns the listening sockets of all workers.

    :ivar shared: the sockets, by their addresses.
    """

    def __init__(self, slots: int, make: Callable[[Wanted, int], Shared] = listen) -> None:
        """Own none yet.

        :param slots: how many workers there are.
        :param make: makes the sockets for an address; see :func:`torsion.application.workers.sockets.listen`.
        """
        self.slots = slots
        self.shared: dict[tuple[str, str, int, int], Shared] = {}
        self._make = make
        self._users: dict[tuple[str, str, int, int], set[object]] = {}
        self._serving: list[int] = []
        self._closed = False

    def take(self, slot: int, wanted: Wanted, *, known_only: bool = False) -> socket.socket:
        """Return the socket for the worker in *slot*; it is made if no worker has asked for that address before.

        :param known_only: do not make any.
        :raises OSError, ValueError, TypeError, OverflowError: if it cannot be had.
        """
        shared = self.shared.get(wanted.key())
        if shared is None:
            if self._closed:
                raise OSError(errno.ESHUTDOWN, "the master is ending, and opens no more sockets")
            if known_only:
                raise PermissionError(
                    errno.EPERM,
                    f"the master, which has privileges, opens no socket at {wanted} for a worker that has dropped its own: "
                    "listen there while the service starts",
                )
            if len(self.shared) >= MOST_ADDRESSES:
                raise OSError(
                    errno.EMFILE, f"workers may listen at {MOST_ADDRESSES} addresses, and {wanted} is one more"
                )
            self.shared[wanted.key()] = shared = self._make(wanted, self.slots)
            self._steer(shared)
        return shared.socket_of(slot)

    def uses(self, user: object, wanted: Wanted) -> None:
        """Note that *user*, a worker, has a port at that address."""
        self._users.setdefault(wanted.key(), set()).add(user)

    def closed(self, user: object, wanted: Wanted) -> None:
        """Note that *user* has closed its port there, while it goes on; the last one to do so closes the sockets."""
        users = self._users.get(wanted.key(), set())
        if user in users:
            users.discard(user)
            if not users:
                del self._users[wanted.key()]
                self._close(self.shared.pop(wanted.key()))

    def gone(self, user: object) -> None:
        """Note that *user* has ended: its sockets wait for the next one."""
        for users in self._users.values():
            users.discard(user)

    def serving(self, slots: Iterable[int]) -> None:
        """Let new connections go to these slots only; to all if there are none, where they wait for the first that is back."""
        self._serving = sorted(slots)
        for shared in self.shared.values():
            self._steer(shared)

    def _steer(self, shared: Shared) -> None:
        if shared.steerable and self.slots <= MOST:
            steer(shared.sockets[0], self._serving or range(self.slots))

    def addresses(self) -> list[str]:
        """Return where the sockets listen, for people to read."""
        return [_shown(shared.sockets[0], key[0]) for key, shared in self.shared.items() if shared.sockets]

    def close(self) -> None:
        """Close all sockets here, and remove the files of Unix sockets.  Workers keep theirs; no more are opened."""
        self._closed = True
        shared, self.shared = self.shared, {}
        for each in shared.values():
            self._close(each)

    def _close(self, shared: Shared) -> None:
        try:
            shared.close()
        except (OSError, ValueError):
            _log.failure("Cannot remove what a Unix socket has left behind")


def _shown(sock: socket.socket, kind: str) -> str:
    address: Any = sock.getsockname()
    if kind.startswith("UNIX"):
        return f"{kind} {address if isinstance(address, str) else repr(address)}"
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    return f"{kind} {host}:{address[1]}"


class Desk(LineOnlyReceiver):
    """Where one worker asks for its sockets."""

    delimiter = b"\n"
    MAX_LENGTH = LONGEST_QUESTION
    operating = True
    """That it is the command's own, and no connection of a service."""

    def __init__(self, broker: Broker, slot: int, name: str) -> None:
        """Serve the worker *name* in *slot*.

        :ivar sealed: whether no addresses are opened any more that no worker has asked for before.
        """
        self.broker = broker
        self.slot = slot
        self.name = name
        self.sealed = False

    def lineReceived(self, line: bytes) -> None:
        """Answer a question."""
        try:
            question = json.loads(line)
            if "closed" in question:
                self.broker.closed(self, _wanted(question["closed"]))
                return
            number, wanted = int(question["id"]), _wanted(question["take"])
        except (ValueError, TypeError, KeyError, RecursionError) as problem:
            self._refuse(line, repr(problem))
            return
        try:
            taken = self.broker.take(self.slot, wanted, known_only=self.sealed)
            self.transport.sendFileDescriptor(taken.fileno())
        except OSError as problem:
            text = problem.strerror or str(problem)
            self._answer({"id": number, "errno": problem.errno or errno.EINVAL, "error": text})
        except (ValueError, TypeError, OverflowError) as problem:
            self._answer({"id": number, "errno": errno.EINVAL, "error": str(problem)})
        else:
            self.broker.uses(self, wanted)
            self._answer({"id": number, "taken": True})

    def lineLengthExceeded(self, line: bytes) -> None:
        """End it: no worker of ours asks such questions."""
        self._refuse(line, f"longer than {LONGEST_QUESTION} bytes")

    def _refuse(self, line: bytes, why: str) -> None:
        _log.error(
            "{name} asked the broker what makes no sense ({why}): {line!r}", name=self.name, why=why, line=line[:80]
        )
        self.transport.abortConnection()

    def _answer(self, answer: dict[str, Any]) -> None:
        self.sendLine(json.dumps(answer).encode())

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The worker asks no more."""
        self.broker.gone(self)


def _wanted(given: Any) -> Wanted:
    """Return what a worker wants.

    :raises TypeError: if that is not what it says.
    """
    wanted = Wanted(*given)
    for value, type_ in zip(wanted, (str, str, int, int, int, int, bool), strict=True):
        if type(value) is not type_:
            raise TypeError(f"{value!r} is no {type_.__name__}")
    return wanted
