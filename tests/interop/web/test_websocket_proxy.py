"""A WebSocket through ``torsion web --proxy``, between a client and a server that are both the library websockets."""

from __future__ import annotations

import threading

import pytest

from contract.faultkit import needs_posix
from operating.command import PATIENCE, Command

pytestmark = [needs_posix, pytest.mark.interop]

MUCH = bytes(range(256)) * 4096  # 1 MiB: more than a connection's buffers take


def test_a_websocket_goes_through_a_reverse_proxy() -> None:
    served = pytest.importorskip("websockets.sync.server")
    client = pytest.importorskip("websockets.sync.client")
    seen: list[str] = []

    def echo(connection) -> None:
        seen.extend(connection.request.headers[name] for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Origin"))
        for message in connection:
            connection.send(message)

    with served.serve(echo, "127.0.0.1", 0, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            behind = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
            with Command("web", "--proxy", f"/live={behind}", "--listen", "tcp:0:interface=127.0.0.1") as proxy:
                url = f"ws://127.0.0.1:{proxy.port()}/live/echo"
                with client.connect(
                    url, origin="https://example.org", max_size=None, open_timeout=PATIENCE
                ) as connection:
                    for message in ("tea", b"", MUCH):
                        connection.send(message)
                        assert connection.recv(timeout=PATIENCE) == message
                    connection.close(4001, "enough")
                assert connection.protocol.close_rcvd.code == 4001
        finally:
            server.shutdown()
            thread.join()
    assert seen == ["127.0.0.1", "http", "https://example.org"]
