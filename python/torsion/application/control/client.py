"""The end of those who ask: without a reactor, for tools that ask once and end."""

from __future__ import annotations

import json
import os
import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from torsion.application.localpeer import connectLocally, peerCredentials
from torsion.application.processes import exists

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

__all__ = ["LONGEST_ANSWER", "Asked", "ControlError", "ask", "wait_for_end"]

LONGEST_ANSWER = 1024 * 1024
"""Bytes in an answer; the longest is a report of a reload with the tracebacks of what failed."""


class ControlError(Exception):
    """The process could not be asked, did not answer in time, or has answered what makes no sense.  The text is for people."""


class Asked(NamedTuple):
    """What came of a request.

    :ivar done: whether it was done.
    :ivar text: what there is to say, for people.
    """

    done: bool
    text: str


def ask(path: str | os.PathLike[str], what: str, timeout: float) -> Asked:
    """Ask the process that listens at a control socket to do something, and wait for the outcome.

    :param path: the socket's path.
    :param what: ``ping``, ``reload``, ``restart`` or ``stop``; after the last the process is waited for, too.
    :param timeout: how long that may take, in seconds.
    :returns: what came of it.
    :raises torsion.application.localpeer.LocalConnectError: if nobody is there to be asked, or somebody else is.
    :raises ControlError: if it did not answer.
    """
    until = time.monotonic() + timeout
    with connectLocally(path) as connection:
        process = _Process(None)
        try:
            connection.sendall(json.dumps({"do": what}).encode() + b"\n")
            answer = _answer(connection, what, until, process)
            if what == "stop" and not process.ended(until):
                raise ControlError(
                    f"process {process.pid} has stopped its services, and does not end within {timeout:g} seconds"
                )
        except TimeoutError:
            pid = process.pid or peerCredentials(connection.fileno()).pid or "that listens there"
            raise ControlError(f"process {pid} has not answered within {timeout:g} seconds") from None
        finally:
            process.close()
    return answer


def _answer(connection: socket.socket, what: str, until: float, process: _Process) -> Asked:
    for message in _messages(connection, until):
        if isinstance(pid := message.get("pid"), int) and "begun" in message:
            # The system would tell who has made the socket, which may be a process whose place this one has taken since.
            process.watch(pid)
        done = "done" in message
        if done or "failed" in message:
            return Asked(done, str(message.get("text", "")))
    raise ControlError(f"the process has hung up without saying what came of {what!r}; its log may tell")


def _messages(connection: socket.socket, until: float) -> Iterator[dict[str, Any]]:
    """Yield what the process says, until it hangs up."""
    unread = b""
    while True:
        line, end, rest = unread.partition(b"\n")
        if end:
            unread = rest
            try:
                message = json.loads(line)
            except (ValueError, RecursionError):
                message = None
            if not isinstance(message, dict):
                raise ControlError(f"it is no control socket: it says {line[:80]!r}")
            yield message
            continue
        if len(unread) > LONGEST_ANSWER:
            raise ControlError("it is no control socket: it says too much")
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        try:
            more = connection.recv(65536)
        except ConnectionError:
            return
        if not more:
            return
        unread += more


class _Process:
    """A process whose end is waited for, though it is no child of ours."""

    def __init__(self, pid: int | None) -> None:
        self.pid: int | None = None
        self._descriptor = -1
        if pid is not None:
            self.watch(pid)

    def watch(self, pid: int) -> None:
        """Have it be process *pid*, which there is."""
        self.close()
        self.pid = pid
        if hasattr(os, "pidfd_open"):
            with suppress(OSError):
                self._descriptor = os.pidfd_open(pid)

    def ended(self, until: float) -> bool:
        """Wait for the end, until a time of ``time.monotonic()``; tell whether it came."""
        if self._descriptor >= 0:
            ready, _, _ = select.select([self._descriptor], [], [], max(0.0, until - time.monotonic()))
            return bool(ready)
        while self.pid is not None and exists(self.pid):
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)  # where a process of others can only be looked for
        return True

    def close(self) -> None:
        """Wait no more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def wait_for_end(pid: int, until: float) -> bool:
    """Wait for the end of a process, until a time of ``time.monotonic()``; tell whether it came."""
    process = _Process(pid)
    try:
        return process.ended(until)
    finally:
        process.close()
