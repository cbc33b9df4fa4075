"""Getting snapshots from a process, over TCP or a UNIX socket."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from torsion.application.status.shape import SCHEMA
from torsion.scripts.top.figures import clean

if TYPE_CHECKING:
    from torsion.application.status.shape import Snapshot

__all__ = ["LARGEST", "PATIENCE", "WHOLE", "NoAnswer", "Source"]

PATIENCE = 5.0
"""How many seconds each step of an answer may take."""

WHOLE = 10.0
"""How many seconds an answer may take from the request to its end: the server gives itself eight."""

LARGEST = 16 * 1024 * 1024
"""How many bytes an answer may have: many times what the bounds of a snapshot let it have."""

_PARTS = {"connections", "errors", "listeners", "loop", "process", "slow", "state", "time", "timers", "workers"}


class NoAnswer(Exception):
    """There are no figures to be had; the text says why."""


class _UNIXConnection(http.client.HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._path)


class Source:
    """Where snapshots come from.

    :ivar name: what it is called on the screen.
    """

    def __init__(self, place: str) -> None:
        """Take a place as people write it.

        :param place: a URL, ``HOST:PORT``, ``PORT``, or the path of a UNIX socket; or an endpoint, as ``--status`` takes it, such
            as ``tcp:9000`` or ``unix:PATH``.
        :raises ValueError: if it is none of these.
        """
        self.name = place
        self._path: str | None = None
        self._folder = "/"
        if re.fullmatch(r"[0-9]{1,5}", place):
            place = f"127.0.0.1:{place}"
        elif re.match(r"(tcp6?|ssl|tls):", place):
            place = _url(place)
        if place.startswith("unix:"):
            self._path = os.path.expanduser(place[5:])  # noqa: PTH111 - a text, as sockets have it
        elif "://" not in place and ("/" in place or ":" not in place):
            self._path = os.path.expanduser(place)  # noqa: PTH111 - as above
        if self._path is not None:
            if not self._path or "\0" in self._path:
                raise ValueError(f"{self.name!r} is neither a URL nor the path of a socket")
            return
        try:
            url = urlsplit(place if "://" in place else f"http://{place}")
            self._host, self._port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        except ValueError as problem:
            raise ValueError(f"{self.name!r} is no URL: {problem}") from problem
        if url.scheme not in ("http", "https") or not self._host:
            raise ValueError(f"{self.name!r} is no URL of a status page; an example is http://127.0.0.1:9000/")
        self._secure = url.scheme == "https"
        self._folder = url.path.rpartition("/")[0] + "/"

    def get(self) -> Snapshot:
        """Ask for a snapshot, and wait for it.

        :raises NoAnswer: if there is none.
        """
        connection = self._connection()
        over = threading.Event()
        deadline: threading.Timer | None = None
        try:
            connection.connect()
            deadline = threading.Timer(WHOLE, _cut, (connection.sock, over))
            deadline.daemon = True
            deadline.start()
            connection.request("GET", f"{self._folder}status.json", headers={"Connection": "close"})
            answer = connection.getresponse()
            body = answer.read(LARGEST + 1)
        except (OSError, http.client.HTTPException) as problem:
            why = _TOO_LONG if over.is_set() else _why(problem)
            raise NoAnswer(f"{self.name} does not answer: {why}") from problem
        finally:
            if deadline is not None:
                deadline.cancel()
            connection.close()
        if over.is_set():
            raise NoAnswer(f"{self.name} does not answer: {_TOO_LONG}")
        if answer.status != 200:
            text = body[:300].decode("utf-8", "replace").strip().replace("\n", ": ")
            raise NoAnswer(f"{self.name} says: {clean(text) or answer.status}")
        return _snapshot(body, self.name)

    def _connection(self) -> http.client.HTTPConnection:
        if self._path is not None:
            return _UNIXConnection(self._path)
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=PATIENCE)


_TOO_LONG = f"its answer has not ended in {WHOLE:g} seconds"


def _cut(connection: socket.socket, over: threading.Event) -> None:
    """End an answer, in a thread of its own: whoever reads it finds that there is no more."""
    over.set()
    with suppress(OSError):  # it has just ended
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # the system's, below any TLS


def _url(endpoint: str) -> str:
    """Return where the page is that is served at *endpoint*, a description of which the status takes.

    :raises ValueError: if it is none.
    """
    from torsion.internet.endpoints.grammar import split

    kind, *parts = split(endpoint)
    values = [each.value for each in parts if each.name is None]
    if kind.value == "tls":
        del values[:1]  # where its certificates are
    named = {each.name: each.value for each in parts if each.name is not None}
    port = named.get("port", values[0] if values else "")
    host = named.get("interface", values[1] if kind.value == "tcp" and len(values) > 1 else "")
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 - everywhere: here as well
        host = "::1" if host == "::" or kind.value == "tcp6" else "127.0.0.1"
    scheme = "http" if kind.value.startswith("tcp") else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


def _snapshot(body: bytes, name: str) -> Snapshot:
    if len(body) > LARGEST:
        raise NoAnswer(f"{name} says more than {LARGEST} bytes: this is no status page")
    found: Any = None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        pass
    if not isinstance(found, dict) or not found.keys() >= _PARTS:
        raise NoAnswer(f"{name} serves something, but no status of torsion")
    if found.get("schema") != SCHEMA:
        raise NoAnswer(f"{name} is of another release: its figures have schema {found.get('schema')}, not {SCHEMA}")
    return cast("Snapshot", found)


def _why(problem: Exception) -> str:
    if isinstance(problem, TimeoutError):
        return f"nothing came in {PATIENCE:g} seconds"
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    if isinstance(problem, http.client.HTTPException):  # whose text may be what the other side has said
        return f"what it says is no HTTP ({type(problem).__name__})"
    return str(problem) or type(problem).__name__
