"""Where a request is, and whose: links, URLs, sessions."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import Interface, alsoProvides
from zope.interface.verify import verifyObject

from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.interfaces import ISSLTransport
from torsion.python.components import registerAdapter
from torsion.web.iweb import IRequest
from torsion.web.server import Request, Session
from unit.web.talk import Fixed, Talk


def request_for(target: str, **keywords: Any) -> Request:
    seen: list[Request] = []
    Talk(Fixed(lambda request: seen.append(request) or b""), **keywords).ask(target)
    return seen[0]


def test_a_request_is_what_it_says() -> None:
    assert verifyObject(IRequest, request_for("/"))


@pytest.mark.parametrize(
    ("segments", "left", "child", "sibling"),
    [
        ([b"foo", b"bar"], [], b"bar/x", b"x"),
        ([b"foo", b""], [], b"x", b"x"),
        ([b"foo"], [b"bar"], b"x", b"../x"),
        ([], [b"a", b"b", b"c"], b"../../x", b"../../../x"),
    ],
)
def test_links(segments: list[bytes], left: list[bytes], child: bytes, sibling: bytes) -> None:
    request = request_for("/")
    request.prepath, request.postpath = segments, left
    assert (request.childLink(b"x"), request.sibLink(b"x")) == (child, sibling)


def test_the_url_of_a_resource() -> None:
    request = request_for("/")
    request.prepath = [b"a b", b"c/d"]
    request.setHost(b"example.com", 80)
    assert request.prePathURL() == b"http://example.com/a%20b/c%2Fd"
    assert str(request.URLPath()) == "http://example.com/a%20b/c%2Fd"
    request.setHost(b"example.com", 8080)
    assert request.prePathURL() == b"http://example.com:8080/a%20b/c%2Fd"
    request.setHost(b"example.com", 443, ssl=True)
    assert request.prePathURL() == b"https://example.com/a%20b/c%2Fd"


def test_the_url_of_an_address_in_brackets() -> None:
    request = request_for("/")
    request.requestHeaders.setRawHeaders(b"host", [b"[::1]:8080"])
    assert request.prePathURL() == b"http://[::1]:8080/"


def test_the_url_of_a_request_without_a_host() -> None:
    request = request_for("/")
    request.requestHeaders.removeHeader(b"host")
    for address, url in (
        (IPv4Address("TCP", "192.0.2.1", 80), b"http://192.0.2.1/"),
        (IPv4Address("TCP", "192.0.2.1", 81), b"http://192.0.2.1:81/"),
        (IPv6Address("TCP", "::1", 81), b"http://[::1]:81/"),
        (UNIXAddress("/socket"), b"http:///"),
    ):
        request.host = address
        assert request.prePathURL() == url


def test_where_the_application_begins() -> None:
    request = request_for("/")
    assert request.getRootURL() is None
    request.prepath = [b"app", b"page"]
    request.setHost(b"example.com", 80)
    request.rememberRootURL()
    assert request.getRootURL() == b"http://example.com/app"


# Sessions


class ICart(Interface):
    pass


class Cart:
    def __init__(self, session: Session) -> None:
        self.things: list[str] = []


registerAdapter(Cart, Session, ICart)


def cart(request: Any) -> bytes:
    things = request.getSession(ICart).things
    things.append("thing")
    return str(len(things)).encode()


def test_a_session_lasts_from_request_to_request() -> None:
    talk = Talk(Fixed(cart))
    first = talk.ask()
    cookie = first.one("set-cookie")
    assert cookie.startswith("TWISTED_SESSION=")
    assert "HttpOnly" in cookie
    assert "Secure" not in cookie
    name = cookie.partition(";")[0]
    again = talk.ask(headers={"Cookie": name})
    assert (first.body, again.body) == (b"1", b"2")
    assert "set-cookie" not in again.headers
    assert talk.ask().body == b"1", "another client"
    assert talk.ask(headers={"Cookie": "TWISTED_SESSION=chosen"}).body == b"1", "a name is never the client's choice"


def test_a_session_ends() -> None:
    talk = Talk(Fixed(cart))
    name = talk.ask().one("set-cookie").partition(";")[0]
    talk.clock.advance(899)
    talk.connect()
    assert talk.ask(headers={"Cookie": name}).body == b"2"
    talk.clock.advance(899)
    assert len(talk.site.sessions) == 1
    talk.clock.advance(2)
    assert len(talk.site.sessions) == 0
    talk.connect()
    assert talk.ask(headers={"Cookie": name}).body == b"1"


def test_a_session_that_ends_while_the_request_lasts() -> None:
    request = request_for("/")
    first = request.getSession()
    assert request.session is first
    first.expire()
    assert request.getSession() is not first


def test_sessions_over_tls_are_others() -> None:
    def render(request: Any) -> bytes:
        secure, plain = request.getSession(), request.getSession(forceNotSecure=True)
        assert secure is not plain
        assert request.session is secure
        assert request.getSession() is secure
        return b""

    talk = Talk(Fixed(render))
    alsoProvides(talk.transport, ISSLTransport)
    cookies = talk.ask().headers["set-cookie"]
    assert [cookie.partition("=")[0] for cookie in cookies] == ["TWISTED_SECURE_SESSION", "TWISTED_SESSION"]
    assert ["Secure" in cookie for cookie in cookies] == [True, False]
