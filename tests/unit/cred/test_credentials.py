"""Credentials: what a client brings, right or wrong, well-formed or not."""

from __future__ import annotations

import hashlib
from hmac import HMAC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from torsion.cred import credentials
from torsion.cred.credentials import (
    Anonymous,
    CramMD5Credentials,
    DigestCredentialFactory,
    DigestedCredentials,
    IAnonymous,
    ISSHPrivateKey,
    IUsernameDigestHash,
    IUsernameHashedPassword,
    IUsernamePassword,
    SSHPrivateKey,
    UsernamePassword,
)
from torsion.cred.digest import ALGORITHMS, calcHA1, calcHA2, calcResponse
from torsion.cred.error import LoginFailed


def test_names_and_passwords() -> None:
    made = UsernamePassword(b"ana", b"secret")
    assert verifyObject(IUsernamePassword, made)
    assert (made.username, made.password) == (b"ana", b"secret")
    assert made.checkPassword(b"secret")
    assert not made.checkPassword(b"Secret")
    assert not made.checkPassword("secret")
    assert UsernamePassword("ana", "é").checkPassword("é")


def test_hashed_passwords_are_deprecated() -> None:
    with pytest.warns(
        DeprecationWarning,
        match=r"UsernameHashedPassword was deprecated .* Use torsion.cred.credentials.UsernamePassword",
    ):
        kind = credentials.UsernameHashedPassword
    made = kind(b"ana", b"hash")
    assert verifyObject(IUsernameHashedPassword, made)
    assert (made.username, made.hashed) == (b"ana", b"hash")
    assert made.checkPassword(b"hash")
    assert not made.checkPassword(b"cash")


def test_nobody_and_keys() -> None:
    assert verifyObject(IAnonymous, Anonymous())
    key = SSHPrivateKey(b"ana", b"ssh-ed25519", b"blob", b"data", None)
    assert verifyObject(ISSHPrivateKey, key)
    assert vars(key) == {
        "username": b"ana",
        "algName": b"ssh-ed25519",
        "blob": b"blob",
        "sigData": b"data",
        "signature": None,
    }


# --- CRAM-MD5 ------------------------------------------------------------------------------------------------------------


def answer(challenge: bytes, name: bytes, password: bytes) -> bytes:
    return name + b" " + HMAC(password, challenge, hashlib.md5).hexdigest().encode()


def test_cram_md5_as_in_the_rfc() -> None:
    made = CramMD5Credentials()
    made.challenge = b"<1896.697170952@postoffice.reston.mci.net>"
    made.setResponse(b"tim b913a602c7eda7a495b4e6e7334d3890")
    assert made.username == b"tim"
    assert made.checkPassword(b"tanstaaftanstaaf")
    assert not made.checkPassword(b"tanstaaf")


def test_a_challenge_stays_and_is_never_the_same_twice() -> None:
    made = CramMD5Credentials(b"host")
    assert verifyObject(IUsernameHashedPassword, made)
    assert made.getChallenge() == made.getChallenge()
    assert made.getChallenge().startswith(b"<")
    assert made.getChallenge().endswith(b"@host>")
    assert len({CramMD5Credentials("höst").getChallenge() for _ in range(20)}) == 20
    assert not made.moreChallenges()
    assert not made.checkPassword(b"")


@given(st.binary(min_size=1, max_size=9), st.binary(max_size=9))
def test_the_right_answer_is_right(name: bytes, password: bytes) -> None:
    made = CramMD5Credentials(b"host")
    made.setResponse(answer(made.getChallenge(), name, password).upper())
    assert made.checkPassword(password)
    assert not made.checkPassword(password + b"x")


@pytest.mark.parametrize("response", [b"", b"name", b" ", b"\n"])
def test_answers_of_another_form(response: bytes) -> None:
    with pytest.raises(ValueError, match="a name, a space and a hash"):
        CramMD5Credentials().setResponse(response)


# --- digest --------------------------------------------------------------------------------------------------------------

REALM, NAME, PASSWORD, HOST = b"a realm", b"ana", b"secret", "10.2.3.4"


class Factory(DigestCredentialFactory):
    now = 1000.0

    def _getTime(self) -> float:
        return self.now


def response_to(challenge: dict[str, bytes], **changed: bytes | None) -> bytes:
    """Return a header that answers a challenge rightly, but for the fields that are *changed*, or ``None``: left out."""
    fields: dict[str, bytes | None] = {
        "username": NAME,
        "realm": REALM,
        "nonce": challenge["nonce"],
        "opaque": challenge["opaque"],
        "uri": b"/a,b",
        "algorithm": challenge["algorithm"],
        "qop": b"auth",
        "nc": b"00000001",
        "cnonce": b'c"\\nonce',
        **changed,
    }
    algorithm = (fields["algorithm"] or b"md5").lower()
    first = calcHA1(algorithm, NAME, REALM, PASSWORD, challenge["nonce"], fields["cnonce"] or b"")
    second = calcHA2(algorithm, b"GET", b"/a,b", b"auth", None)
    right = calcResponse(first, second, algorithm, challenge["nonce"], fields["nc"], fields["cnonce"], fields["qop"])
    fields.setdefault("response", right)
    quoted = {
        name: b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        for name, value in fields.items()
        if value is not None
    }
    return b", ".join(name.encode() + b"=" + value for name, value in quoted.items())


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, b"MD5", b"SHA-256-sess"])
def test_the_right_answer_to_a_challenge(algorithm: bytes) -> None:
    factory = Factory(algorithm, REALM)
    challenge = factory.getChallenge(HOST)
    assert {name: challenge[name] for name in ("qop", "algorithm", "realm")} == {
        "qop": b"auth",
        "algorithm": algorithm,
        "realm": REALM,
    }
    made = factory.decode(response_to(challenge), b"GET", HOST)
    assert verifyObject(IUsernameHashedPassword, made)
    assert verifyObject(IUsernameDigestHash, made)
    assert made.username == NAME
    assert made.checkPassword(PASSWORD)
    assert not made.checkPassword(PASSWORD + b"x")
    plain = algorithm.lower().removesuffix(b"-sess")
    assert made.checkHash(calcHA1(plain, NAME, REALM, PASSWORD, b"", b""))
    assert not made.checkHash(calcHA1(plain, NAME, REALM, b"x", b"", b""))
    assert not factory.decode(response_to(challenge), b"POST", HOST).checkPassword(PASSWORD)


def test_an_answer_without_quality_of_protection_is_that_of_older_clients() -> None:
    factory = Factory(b"md5", REALM)
    header = response_to(factory.getChallenge(None), qop=None, nc=None, cnonce=None, algorithm=None)
    assert factory.decode(header, b"GET", None).checkPassword(PASSWORD)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"username": None}, "no username given"),
        ({"username": b""}, "no username given"),
        ({"nonce": None}, "no nonce given"),
        ({"opaque": None}, "no opaque given"),
        ({"opaque": b"x"}, "invalid opaque"),
        ({"opaque": b"x-z"}, "invalid opaque"),
        ({"opaque": b"\xff-\xff"}, "invalid opaque"),
        ({"opaque": b"x-YQ=="}, "invalid opaque"),
        ({"nonce": b"other"}, "incompatible opaque/nonce"),
        ({"algorithm": b"md5"}, "algorithm is not that of the challenge"),
        ({"algorithm": None}, "algorithm is not that of the challenge"),
        ({"userhash": b"true"}, "not to be hashed"),
        ({"qop": b"auth-int"}, "qop is not that"),
        ({"qop": b""}, "qop is not that"),
        ({"cnonce": None}, "lacks nc or cnonce"),
        ({"nc": None}, "lacks nc or cnonce"),
    ],
)
def test_answers_that_are_none(changed: Any, why: str) -> None:
    factory = Factory(b"sha-256", REALM)
    header = response_to(factory.getChallenge(HOST), **changed)
    with pytest.raises(LoginFailed, match=f"Invalid response, .*{why}"):
        factory.decode(header, b"GET", HOST)


def test_whose_and_when() -> None:
    factory = Factory(b"sha-256", REALM)
    header = response_to(factory.getChallenge(HOST))
    with pytest.raises(LoginFailed, match="client values"):
        factory.decode(header, b"GET", "10.2.3.5")
    with pytest.raises(LoginFailed, match="invalid opaque"):
        Factory(b"sha-256", REALM).decode(header, b"GET", HOST)  # has another key
    factory.now += factory.CHALLENGE_LIFETIME_SECS
    assert factory.decode(header, b"GET", HOST.encode()).checkPassword(PASSWORD)
    factory.now += 1
    with pytest.raises(LoginFailed, match="too old"):
        factory.decode(header, b"GET", HOST)


@pytest.mark.parametrize("fields", [{}, {"algorithm": b"none"}, {"qop": b"auth-int"}, {"response": b"\xff"}])
def test_fields_from_elsewhere_are_wrong_and_no_more(fields: dict[str, bytes]) -> None:
    made = DigestedCredentials(NAME, b"GET", REALM, fields)
    assert not made.checkPassword(PASSWORD)
    assert not made.checkHash(b"x")


@given(
    st.binary()
    | st.lists(
        st.sampled_from([b'username="a"', b"nonce=b", b"opaque=c-d", b", ", b'"', b"\\", b"=", b"qop=auth"])
    ).map(b"".join)
)
def test_a_header_is_credentials_or_a_failed_login(header: bytes) -> None:
    with pytest.raises(LoginFailed):
        Factory(b"sha-256", REALM).decode(header, b"GET", HOST)


@pytest.mark.parametrize("algorithm", [b"sha-1024", "md5", b""])
def test_challenges_of_an_algorithm_that_is_not_known_are_not_made(algorithm: Any) -> None:
    with pytest.raises(ValueError, match=f"no digest algorithm {algorithm!r}; there are md5"):
        DigestCredentialFactory(algorithm, b"realm")
