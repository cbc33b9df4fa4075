"""Cipher suites."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import IAcceptableCiphers, ICipher
from torsion.internet.ssl import AcceptableCiphers
from torsion.internet.tls import OpenSSLCipher
from torsion.internet.tls.ciphers import DEFAULT_OPENSSL_CIPHERS, NATIVE_SUITES, available_ciphers, native_suites


def test_a_cipher():
    cipher = OpenSSLCipher("X")
    assert verifyObject(ICipher, cipher)
    assert cipher == eval(repr(cipher)) != OpenSSLCipher("Y")
    assert len({cipher, OpenSSLCipher("X")}) == 1


def test_choosing():
    mine = AcceptableCiphers([OpenSSLCipher("A"), OpenSSLCipher("B"), OpenSSLCipher("C")])
    assert verifyObject(IAcceptableCiphers, mine)
    assert mine.selectCiphers([OpenSSLCipher("C"), OpenSSLCipher("A"), OpenSSLCipher("D")]) == (
        OpenSSLCipher("A"),
        OpenSSLCipher("C"),
    )
    assert mine.selectCiphers([]) == ()
    assert "A:B:C" in repr(mine)


def test_openssls_notation():
    made = AcceptableCiphers.fromOpenSSLCipherString("ECDHE+AESGCM:!aRSA")
    names = {each.fullName for each in made.selectCiphers(available_ciphers())}
    assert "ECDHE-ECDSA-AES128-GCM-SHA256" in names
    assert "ECDHE-RSA-AES128-GCM-SHA256" not in names
    assert "TLS_AES_128_GCM_SHA256" in names


@pytest.mark.parametrize("string", ["", "nonsense"])
def test_a_string_that_stands_for_none(string):
    assert AcceptableCiphers.fromOpenSSLCipherString(string).selectCiphers(available_ciphers()) == ()


def test_the_default_has_what_is_native_and_nothing_broken():
    names = {each.fullName for each in AcceptableCiphers.fromOpenSSLCipherString(DEFAULT_OPENSSL_CIPHERS)._ciphers}
    assert set(NATIVE_SUITES) <= names
    assert not [
        name for name in names if any(bad in name for bad in ("NULL", "RC4", "DES", "MD5", "EXP", "anon", "ADH"))
    ]


def test_names_of_both_worlds():
    assert native_suites(["ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA", "TLS_AES_128_GCM_SHA256"]) == (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_AES_128_GCM_SHA256",
    )
