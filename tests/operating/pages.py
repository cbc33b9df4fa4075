"""Asking the page of status, by the stdlib's client and by bare bytes."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from urllib.parse import urlsplit

PATIENCE = 20


class _UNIXConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._path)


def get(place, path="/", method="GET", headers=None):
    """Return status, header fields and body of an answer; *place* is a URL or the path of a socket."""
    if place.startswith("/"):
        connection = _UNIXConnection(place)
    else:
        url = urlsplit(place)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def figures(place):
    """Return a snapshot."""
    status, _, body = get(place, "/status.json")
    assert status == 200, body
    return json.loads(body)


def say(place, data):
    """Send bytes, and return all that comes until the connection ends."""
    url = urlsplit(place)
    received = b""
    with socket.create_connection((url.hostname, url.port), timeout=PATIENCE) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    return received
