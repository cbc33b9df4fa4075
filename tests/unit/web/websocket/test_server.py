"""The server's handshake: who gets a WebSocket, and who does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("wsproto")

from torsion.internet.defer import Deferred
from torsion.web.websocket import Settings, WebSocketResource
from unit.web.websocket.peer import Keeper, Keepers, Server, frame, open_server


def test_the_example_of_the_rfc() -> None:
    server = Server()
    lines = server.ask(data=frame(1, b"early")).split("\r\n")
    assert lines[0] == "HTTP/1.1 101 Switching Protocols"
    assert "Sec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in lines  # RFC 6455, 1.3
    assert "Upgrade: websocket" in lines
    assert "Connection: Upgrade" in lines
    assert not [line for line in lines if line.startswith(("Content-", "Transfer-", "Sec-Websocket-E"))]
    assert server.keeper.told == ["started", "finished", "early"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Upgrade": None}, 400),
        ({"Upgrade": "h2c"}, 400),
        ({"Connection": "keep-alive"}, 400),
        ({"Sec_WebSocket_Key": None}, 400),
        ({"Sec_WebSocket_Key": "dGhlIHNhbXBsZQ=="}, 400),
        ({"Sec_WebSocket_Key": "\N{LATIN SMALL LETTER A WITH DIAERESIS}"}, 400),
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Version": None}, 426),
        ({"first": "GET /ws HTTP/1.0"}, 400),
        ({"first": "POST /ws HTTP/1.1", "Content_Length": "0"}, 405),
        ({"first": "GET /nothing HTTP/1.1"}, 404),
    ],
)
def test_who_asks_otherwise_is_refused(changed: dict[str, Any], code: int) -> None:
    server = Server()
    head = server.ask(**changed)
    assert head.split(" ")[1] == str(code)
    assert ("Sec-Websocket-Version: 13" in head) == (code == 426)
    assert server.factory.made == []


def test_other_origins_may_be_refused() -> None:
    for origin, code in (("https://evil.example", "403"), ("https://Good.example", "101"), (None, "101")):
        server = Server(origins=["https://good.example"])
        assert server.ask(Origin=origin).split(" ")[1] == code


def test_the_first_subprotocol_of_ours_is_chosen() -> None:
    server = Server(Settings(subprotocols=("new", "old")))
    assert "Sec-Websocket-Protocol: new" in server.ask(Sec_WebSocket_Protocol="other, old, new").split("\r\n")
    assert server.keeper.transport.subprotocol == "new"
    server = Server(Settings(subprotocols=("new",)))
    assert "Sec-Websocket-Protocol" not in server.ask(Sec_WebSocket_Protocol="other")


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        ("permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=15"),
        ("permessage-deflate; bogus, permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; bogus", None),
        ("permessage-deflate; server_max_window_bits=99", None),
        ("permessage-deflate; server_max_window_bits=\N{SUPERSCRIPT TWO}", None),
        ("permessage-deflate; server_max_window_bits", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        ("permessage-deflate; client_max_window_bits=9; client_max_window_bits=9", None),
        ("x-webkit-deflate-frame", None),
        (" , ;", None),
    ],
)
def test_compression_is_agreed_upon(offered: str, said: str | None) -> None:
    head = Server().ask(Sec_WebSocket_Extensions=offered)
    assert head.startswith("HTTP/1.1 101 ")
    answers = [line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("Sec-Websocket-Extensions")]
    assert answers == ([] if said is None else [said])
    assert "Sec-Websocket-Extensions" not in Server(Settings(compression=False)).ask(Sec_WebSocket_Extensions=offered)


def test_a_factory_may_take_its_time_refuse_and_fail(flush_errors: Callable[..., list[Any]]) -> None:
    class Later:
        def __init__(self) -> None:
            self.answer: Deferred[Any] = Deferred()

        def buildProtocol(self, request: Any) -> Any:
            return self.answer

    server = Server(factory=Later())
    assert server.ask() == ""
    keeper = Keeper()
    server.factory.answer.callback(keeper)
    assert server.take().startswith(b"HTTP/1.1 101 ")
    assert keeper.told == ["started", "finished"]

    server = Server(factory=Later())
    server.ask()
    server.factory.answer.callback(None)
    assert server.take().startswith(b"HTTP/1.1 403 ")

    server = Server(factory=Later())
    server.ask()
    server.factory.answer.errback(ZeroDivisionError())
    assert server.take().startswith(b"HTTP/1.1 500 ")
    assert flush_errors(ZeroDivisionError)


def test_a_drain_says_that_the_server_goes_away() -> None:
    server = open_server()
    server.channel.finish()
    assert server.take() == b"\x88\x02" + (1001).to_bytes(2, "big")


def test_nothing_can_be_sent_before_it_is_there() -> None:
    class Hasty(Keeper):
        def negotiationStarted(self, transport: Any) -> None:
            super().negotiationStarted(transport)
            with pytest.raises(RuntimeError, match="negotiationFinished"):
                transport.sendTextMessage("hasty")
            transport.loseConnection()

    class Hasties(Keepers):
        def buildProtocol(self, request: Any) -> Any:
            return Hasty()

    server = Server(factory=Hasties())
    assert server.ask().startswith("HTTP/1.1 101 ")
    assert server.rest == b"\x88\x02\x03\xe8"


def test_without_wsproto_the_error_says_what_to_do() -> None:
    program = (
        "import sys; sys.modules['wsproto'] = sys.modules['wsproto.connection'] = None\n"
        "from torsion.web.websocket import WebSocketResource\n"
        "try: WebSocketResource(None)\nexcept ImportError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert said.stdout == "WebSockets need wsproto: pip install torsion[websocket]\n"
    assert WebSocketResource.isLeaf
