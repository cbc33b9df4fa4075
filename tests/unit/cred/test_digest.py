"""Digests: the examples of the standards, and headers of all kinds."""

from __future__ import annotations

from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.cred.digest import ALGORITHMS, calcHA1, calcHA2, calcResponse, parseFields


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        (b"MD5", b"8ca523f5e9506fed4657c9700eebdbec"),
        (b"SHA-256", b"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: bytes, response: bytes) -> None:
    """Section 3.9.1."""
    nonce, client = b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    first = calcHA1(algorithm, b"Mufasa", b"http-auth@example.org", b"Circle of Life", nonce, client)
    second = calcHA2(algorithm, b"GET", b"/dir/index.html", b"auth", None)
    assert calcResponse(first, second, algorithm, nonce, b"00000001", client, b"auth") == response


def test_the_example_of_rfc_2617_without_quality_of_protection() -> None:
    first = calcHA1(b"md5", b"Mufasa", b"testrealm@host.com", b"Circle Of Life", b"", b"")
    assert first == b"939e7578ed9e3c518a452acee763bce9"
    second = calcHA2(b"md5", b"GET", b"/dir/index.html", None, None)
    assert second == b"39aff3a2bab6126f332b942af96d3366"
    assert (
        calcResponse(first, second, b"md5", b"nonce", None, None, None)
        == md5(b":".join((first, b"nonce", second))).hexdigest().encode()
    )


def test_sessions_take_the_nonces_in() -> None:
    plain = calcHA1(b"md5", b"a", b"b", b"c", b"n", b"m")
    expected = md5(plain + b":n:m").hexdigest().encode()
    assert calcHA1(b"md5-sess", b"a", b"b", b"c", b"n", b"m") == expected
    assert calcHA1(b"MD5-sess", None, None, None, b"n", b"m", preHA1=plain) == expected


def test_the_body_may_be_taken_in() -> None:
    assert calcHA2(b"md5", b"GET", b"/", b"auth-int", b"h") == md5(b"GET:/:h").hexdigest().encode()
    with pytest.raises(ValueError, match="needs the hash of the body"):
        calcHA2(b"md5", b"GET", b"/", b"auth-int", None)


def test_what_cannot_be_computed() -> None:
    with pytest.raises(TypeError, match="preHA1"):
        calcHA1(b"md5", b"a", None, None, b"", b"", preHA1=b"x")
    with pytest.raises(ValueError, match=r"no digest algorithm b'crc'; there are md5"):
        calcHA1(b"crc", b"a", b"b", b"c", b"", b"")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_all_algorithms_give_hexadecimal_digits(algorithm: bytes) -> None:
    bytes.fromhex(calcHA2(algorithm, b"GET", b"/", None, None).decode())


# --- headers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (b"", {}),
        (b" , ,", {}),
        (b"a=b", {"a": b"b"}),
        (b'A="b, c", d=e', {"a": b"b, c", "d": b"e"}),
        (b'a = "b\\"c\\\\d" ,, e=,\r\n f=g', {"a": b'b"c\\d', "e": b"", "f": b"g"}),
        (b"username*=UTF-8''J%C3%A4ger", {"username": "Jäger".encode()}),
        (b"username*=utf-8'en'a%20b", {"username": b"a b"}),
        (b"uri=/x?y=z", {"uri": b"/x?y=z"}),
        (b"realm=a realm , nc=1 ", {"realm": b"a realm", "nc": b"1"}),  # which some clients do not quote
    ],
)
def test_headers(header: bytes, fields: dict[str, bytes]) -> None:
    assert parseFields(header) == fields


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"a", "no field"),
        (b'a="b', "no field"),
        (b'a="b" c=d', "no field"),
        (b"=b", "no field"),
        (b"\xff=b", "no field"),
        (b"a=b, A=c", "twice"),
        (b"username=a, username*=UTF-8''b", "twice"),
        (b"username*=latin-1''a", "UTF-8"),
        (b"username*=a", "UTF-8"),
    ],
)
def test_headers_that_are_none(header: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parseFields(header)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.binary(max_size=9), max_size=4))
def test_whatever_is_quoted_comes_back(fields: dict[str, bytes]) -> None:
    quoted = [
        name.encode() + b'="' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        for name, value in fields.items()
    ]
    assert parseFields(b", ".join(quoted)) == fields


@pytest.mark.parametrize(
    "header",
    [
        b'a="' + b"\\" * 200_001,
        b" " * 200_000 + b"a" * 200_000,
        b"a=" + b" " * 200_000 + b'"',
        b"a=" + b"b " * 200_000 + b'"',
        b'a="b"' + b" " * 200_000 + b"c",
        b"a=b" + b", " * 200_000 + b'"',
        b"a" + b" " * 200_000 + b"b",
    ],
)
@pytest.mark.timeout(10)
def test_a_long_header_is_read_in_time(header: bytes) -> None:
    with pytest.raises(ValueError, match="no field"):
        parseFields(header)
