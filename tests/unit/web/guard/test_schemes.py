"""The schemes: what a client is told, and what is read of its answer."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from torsion.cred.digest import calcHA1, calcHA2, calcResponse
from torsion.cred.error import LoginFailed
from torsion.internet.address import IPv4Address, UNIXAddress
from torsion.web.guard import BasicCredentialFactory, DigestCredentialFactory
from torsion.web.iweb import ICredentialFactory
from unit.web.talk import Asked

BASIC = BasicCredentialFactory("here")


@pytest.mark.parametrize("factory", [BASIC, DigestCredentialFactory(b"sha-256", b"here")])
def test_they_are_what_they_say(factory: Any) -> None:
    assert verifyObject(ICredentialFactory, factory)


@pytest.mark.parametrize(
    ("plain", "name", "password"),
    [
        (b"me:secret", b"me", b"secret"),
        (b"me:a:b", b"me", b"a:b"),
        (b":", b"", b""),
        ("jäger:ü".encode(), "jäger".encode(), "ü".encode()),
    ],
)
def test_basic(plain: bytes, name: bytes, password: bytes) -> None:
    for response in (b64encode(plain), b64encode(plain).rstrip(b"=")):
        credentials = BASIC.decode(response, None)
        assert (credentials.username, credentials.password) == (name, password)


@pytest.mark.parametrize("response", [b"", b"x", b"decode should fail", b64encode(b"no colon"), b"\xff\xfe"])
def test_what_is_not_basic(response: bytes) -> None:
    with pytest.raises(LoginFailed):
        BASIC.decode(response, None)


class Digesting(Asked):
    """A request with an address."""

    address: Any = IPv4Address("TCP", "192.0.2.1", 5)

    def getClientAddress(self) -> Any:
        return self.address


def answer(challenge: dict[str, bytes], uri: bytes, password: bytes = b"secret") -> bytes:
    algorithm, nonce = challenge["algorithm"], challenge["nonce"]
    first = calcHA1(algorithm, b"me", challenge["realm"], password, nonce, b"abc")
    response = calcResponse(
        first, calcHA2(algorithm, b"GET", uri, b"auth", None), algorithm, nonce, b"00000001", b"abc", b"auth"
    )
    fields = {
        "username": b"me", "realm": challenge["realm"], "nonce": nonce, "uri": uri, "qop": b"auth", "nc": b"00000001",
        "cnonce": b"abc", "response": response, "opaque": challenge["opaque"], "algorithm": algorithm,
    }  # fmt: skip
    return b", ".join(b'%b="%b"' % (name.encode(), value) for name, value in fields.items())


@pytest.mark.parametrize("algorithm", [b"md5", b"sha-256"])
def test_digest(algorithm: bytes) -> None:
    factory = DigestCredentialFactory(algorithm, b"here")
    request = Digesting()
    request.uri = b"/page?x=1"
    credentials = factory.decode(answer(factory.getChallenge(request), b"/page?x=1"), request)
    assert credentials.username == b"me"
    assert credentials.checkPassword(b"secret")
    assert not credentials.checkPassword(b"wrong")


def test_an_answer_for_another_url_is_none() -> None:
    factory = DigestCredentialFactory(b"sha-256", b"here")
    request = Digesting()
    request.uri = b"/secret"
    with pytest.raises(LoginFailed, match="another URL"):
        factory.decode(answer(factory.getChallenge(request), b"/public"), request)


def test_a_proxy_may_have_taken_the_host_away() -> None:
    factory = DigestCredentialFactory(b"sha-256", b"here")
    request = Digesting()
    request.uri = b"/page"
    assert factory.decode(answer(factory.getChallenge(request), b"http://example.com/page"), request).checkPassword(
        b"secret"
    )


def test_an_answer_from_elsewhere_is_none() -> None:
    factory = DigestCredentialFactory(b"sha-256", b"here")
    request, other = Digesting(), Digesting()
    other.address = IPv4Address("TCP", "192.0.2.2", 5)
    with pytest.raises(LoginFailed):
        factory.decode(answer(factory.getChallenge(request), b"/"), other)


def test_addresses_without_hosts_do() -> None:
    factory = DigestCredentialFactory(b"sha-256", b"here")
    request = Digesting()
    request.address = UNIXAddress("/socket")
    assert factory.decode(answer(factory.getChallenge(request), b"/"), request).checkPassword(b"secret")


def test_an_algorithm_that_is_not_known() -> None:
    with pytest.raises(ValueError, match="rot13"):
        DigestCredentialFactory(b"rot13", b"here")
