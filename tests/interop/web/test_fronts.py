"""nginx and haproxy stand in front of a site: connections that are kept, and whom requests come from."""

from __future__ import annotations

import getpass
import http.client
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.faultkit import needs_posix
from interop.web.sites import site

pytestmark = needs_posix

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")

# nginx takes the socket that it inherits through the variable NGINX, as if it were an older nginx's.
NGINX_CONFIGURATION = """
daemon off; worker_processes 1; user {user}; pid {folder}/pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream torsion {{ server 127.0.0.1:{port}; keepalive 1; }}
  server {{
    listen 127.0.0.1:{listen};
    client_max_body_size 100m;
    proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    location / {{ proxy_pass http://torsion; }}
    location /unbuffered/ {{ proxy_request_buffering off; proxy_buffering off; proxy_pass http://torsion/; }}
  }}
}}
"""

HAPROXY_CONFIGURATION = """
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend entrance
    bind fd@{descriptor}
    default_backend inside
backend inside
    option forwardfor
    server torsion 127.0.0.1:{port} {options}
"""


def answer(port: int, method: str, target: str, body: Any = None, **headers: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        data = response.read()
        assert response.status == 200, data
        return data
    finally:
        connection.close()


def who(port: int, **headers: str) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(answer(port, "GET", "/who", **headers))
    return seen


@contextmanager
def front(command: list[str], entrance: socket.socket, **keywords: Any) -> Iterator[int]:
    """Run a program that takes connections at the socket *entrance*."""
    process = subprocess.Popen(
        command, pass_fds=[entrance.fileno()], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **keywords
    )
    try:
        yield entrance.getsockname()[1]
    finally:
        process.terminate()
        try:
            errors = process.communicate(timeout=10)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            errors = process.communicate()[1]
    assert "[emerg]" not in errors, errors
    assert "ALERT" not in errors, errors


@contextmanager
def nginx(folder: Path, port: int) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as entrance:
        file = folder / "nginx.conf"
        file.write_text(
            NGINX_CONFIGURATION.format(
                folder=folder, port=port, listen=entrance.getsockname()[1], user=getpass.getuser()
            )
        )
        environment = {"NGINX": f"{entrance.fileno()};"}
        with front([str(NGINX), "-p", str(folder), "-c", str(file), "-e", "stderr"], entrance, env=environment) as port:
            yield port


@contextmanager
def haproxy(folder: Path, port: int, options: str) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as entrance:
        file = folder / "haproxy.cfg"
        file.write_text(HAPROXY_CONFIGURATION.format(descriptor=entrance.fileno(), port=port, options=options))
        with front([str(HAPROXY), "-db", "-q", "-f", str(file)], entrance) as port:
            yield port


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 1_000)
    with site(tmp_path) as server, nginx(tmp_path, server.port) as port:
        first, second = who(port), who(port, **{"X-Forwarded-For": "192.0.2.7"})
        assert first["port"] == second["port"], "nginx has not kept its connection to us"
        assert first["forwarded"] == "127.0.0.1"
        assert second["forwarded"] == "192.0.2.7, 127.0.0.1"
        assert first["host"] == f"127.0.0.1:{port}"
        assert answer(port, "GET", "/files/file") == bytes(range(256)) * 1_000
        for target in ("/stream", "/unbuffered/stream"):
            assert answer(port, "GET", target) == b"".join(b"%d " % number * 200 for number in range(300))
        for target in ("/body", "/unbuffered/body"):
            assert json.loads(answer(port, "PUT", target, bytes(3_000_000)))[0] == 3_000_000
        parts = (bytes(50_000) for _ in range(20))
        assert json.loads(answer(port, "PUT", "/unbuffered/body", parts))[::2] == [1_000_000, "chunked"]
        assert who(port)["port"] == first["port"], "the connection was not kept behind bodies and streams"


@pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")
@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2"])
def test_haproxy_says_who_asks(tmp_path: Path, options: str) -> None:
    with (
        site(tmp_path, "haproxy:tcp:0:interface=127.0.0.1") as server,
        haproxy(tmp_path, server.port, options) as port,
    ):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(2):
            client.request("GET", "/who")
            own = client.sock.getsockname()[1]
            seen = json.loads(client.getresponse().read())
            assert (seen["client"], seen["port"], seen["local"]) == ("127.0.0.1", own, port)
        client.close()
        assert json.loads(answer(port, "PUT", "/body", bytes(1_000_000)))[0] == 1_000_000
