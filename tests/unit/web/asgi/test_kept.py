"""What is kept from one request for the next, so as not to be found out again, holds nothing that is not so then."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.internet.task import Clock
from torsion.web.asgi import ASGIResource, conversation
from torsion.web.resource import Resource
from torsion.web.server import Site
from unit.web.asgi.test_asgi import Reactor, Runner, body, start, talk
from unit.web.talk import Talk


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b"\0"])
@pytest.mark.parametrize("name", [b"x-name", b"X-Name"])
def test_a_value_is_looked_at_though_its_name_is_known(name: bytes, end: bytes, flush_errors: Any) -> None:
    values = [b"good", b"bad" + end + b"set-cookie: a=b"]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(start(200, (name, values.pop(0))))
        await send(body(b"there"))

    client = talk(application)
    first = client.ask()
    assert (first.one("x-name"), first.body) == ("good", b"there")
    second = client.ask()
    assert second.code == 500
    assert "set-cookie" not in second.headers
    [error] = flush_errors(ValueError)
    assert "must be one line" in str(error.value)


def test_names_that_are_made_up_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[bytes, bytes] = {}
    monkeypatch.setattr(conversation, "_CHECKED", kept)
    names = [b"x-%d" % number for number in range(600)]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(start(200, (b"x-long-" + b"y" * 1000, b"1"), *((name, b"2") for name in names)))
        await send(body())

    client = talk(application)
    for _ in range(2):
        answer = client.ask()
        assert answer.one("x-long-" + "y" * 1000) == "1"
        assert [answer.one(name.decode()) for name in names] == ["2"] * 600
    assert len(kept) == 512
    assert max(map(len, kept)) < 100


def test_a_request_that_was_given_another_host_says_so() -> None:
    scopes: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await send(start())
        await send(body())

    inside = ASGIResource(application, Runner(), Reactor(), lifespan=False)

    class Root(Resource):
        isLeaf = True

        def render(self, request: Any) -> Any:
            if request.path == b"/other":
                request.setHost(b"other.example", 8443, ssl=1)
            return inside.render(request)

    client = Talk(Site(Root(), reactor=Clock()))
    for target in ("/", "/other", "/"):
        client.ask(target)
    assert scopes[0]["server"] == scopes[2]["server"] != scopes[1]["server"]
    assert [scope["scheme"] for scope in scopes] == ["http", "https", "http"]
    assert scopes[1]["server"][1] == 8443
