"""nginx and haproxy stand in front of a site: connections that are kept, and whom requests come from."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from contract.faultkit import needs_posix
from interop.web.fronts import HAPROXY, NGINX, haproxy, nginx
from interop.web.sites import site

pytestmark = needs_posix

BEHIND_NGINX = """
  upstream torsion {{ server 127.0.0.1:{port}; keepalive 1; }}
  server {{
    listen 127.0.0.1:{listen};
    proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    location / {{ proxy_pass http://torsion; }}
    location /unbuffered/ {{ proxy_request_buffering off; proxy_buffering off; proxy_pass http://torsion/; }}
  }}
"""

BEHIND_HAPROXY = """
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


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 1_000)
    with site(tmp_path) as server, nginx(tmp_path, BEHIND_NGINX, port=server.port) as port:
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
        haproxy(tmp_path, BEHIND_HAPROXY, port=server.port, options=options) as port,
    ):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(2):
            client.request("GET", "/who")
            own = client.sock.getsockname()[1]
            seen = json.loads(client.getresponse().read())
            assert (seen["client"], seen["port"], seen["local"]) == ("127.0.0.1", own, port)
        client.close()
        assert json.loads(answer(port, "PUT", "/body", bytes(1_000_000)))[0] == 1_000_000
