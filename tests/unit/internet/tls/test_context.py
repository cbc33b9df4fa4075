"""CertificateOptions: what may be said, and what both implementations make of it."""

from __future__ import annotations

import copy
import os
import pickle

import pytest

from torsion.internet.ssl import (
    AcceptableCiphers,
    CertificateOptions,
    DiffieHellmanParameters,
    TLSVersion,
    platformTrust,
    trustRootFromCertificates,
)
from torsion.internet.tls import CertificatesByName, KeyPair, UnsupportedOption
from torsion.internet.tls.ciphers import DEFAULT_OPENSSL_CIPHERS, OpenSSLCipher
from torsion.internet.tls.formats import certificate_der, key_der
from unit.internet.tls.kit import HOST, authority, server_certificate

SSL = pytest.importorskip("OpenSSL.SSL")


def mine(**more):
    return CertificateOptions(privateKey=server_certificate().privateKey, certificate=server_certificate(), **more)


class Noting:
    """Stands for an OpenSSL context, and notes what is set."""

    def __init__(self, method):
        self.method = method
        self.flags = 0
        self.calls = {}

    def set_options(self, flags):
        self.flags |= flags

    def __getattr__(self, name):
        def note(*args):
            self.calls.setdefault(name, []).append(args)

        return note


def noted(options) -> Noting:
    options._contextFactory = Noting
    return options.getContext()


# --- what may be said --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"privateKey": 1}, "certificate"),
        ({"certificate": 1}, "privateKey"),
        ({"verify": True}, "caCerts"),
        ({"verify": True, "caCerts": []}, "caCerts"),
        ({"extraCertChain": [1]}, "extraCertChain"),
        ({"acceptableProtocols": [b""]}, "application protocol"),
        ({"acceptableProtocols": [b"x" * 256]}, "application protocol"),
        ({"acceptableProtocols": ["h2"]}, "application protocol"),
        ({"handshakeTimeout": 0}, "handshakeTimeout"),
        ({"handshakeTimeout": -1.0}, "handshakeTimeout"),
        ({"acceptableCiphers": AcceptableCiphers([])}, "acceptableCiphers"),
        ({"acceptableCiphers": AcceptableCiphers.fromOpenSSLCipherString("nonsense")}, "acceptableCiphers"),
        (
            {"raiseMinimumTo": TLSVersion.TLSv1_3, "lowerMaximumSecurityTo": TLSVersion.TLSv1_2},
            "raiseMinimumTo",
        ),
        (
            {"insecurelyLowerMinimumTo": TLSVersion.TLSv1_1, "lowerMaximumSecurityTo": TLSVersion.TLSv1_0},
            "insecurelyLowerMinimumTo",
        ),
    ],
)
def test_what_does_not_go_together(arguments, named):
    with pytest.raises(ValueError, match=named):
        CertificateOptions(**arguments)


@pytest.mark.parametrize(
    "pair",
    [
        {"trustRoot": None, "verify": False},
        {"trustRoot": None, "caCerts": None},
        {"trustRoot": None, "requireCertificate": True},
        {"method": None, "raiseMinimumTo": None},
        {"method": None, "insecurelyLowerMinimumTo": None},
        {"method": None, "lowerMaximumSecurityTo": None},
        {"raiseMinimumTo": None, "insecurelyLowerMinimumTo": None},
    ],
    ids=repr,
)
def test_what_excludes_each_other_even_by_its_default(pair):
    with pytest.raises(TypeError) as raised:
        CertificateOptions(**pair)
    assert all(name in str(raised.value) for name in pair)


@pytest.mark.parametrize("thing", [3, "x", object()])
def test_what_cannot_be_trusted(thing):
    with pytest.raises(TypeError, match="trust"):
        CertificateOptions(trustRoot=thing)


def test_a_key_that_does_not_fit():
    with pytest.raises(ValueError, match="privateKey"):
        CertificateOptions(privateKey=KeyPair.generate("ec"), certificate=server_certificate())


@pytest.mark.parametrize("form", ["torsion", "cryptography", "pyopenssl"])
def test_keys_and_certificates_of_any_kind(form):
    own = server_certificate()
    key, certificate, root = {
        "torsion": (own.privateKey, own, authority().root),
        "cryptography": (own.privateKey.key, own.certificate, authority().certificate),
        "pyopenssl": (own.privateKey.original, own.original, authority().root.original),
    }[form]
    options = CertificateOptions(
        privateKey=key, certificate=certificate, extraCertChain=[root], verify=True, caCerts=[root]
    )
    assert options.privateKey is key
    assert options.certificate is certificate
    settings = options.settings(False)
    chain, private = settings.identities[0]
    assert chain == (certificate_der(own.certificate), certificate_der(authority().certificate))
    assert private == key_der(own.privateKey.key)
    assert settings.roots == (certificate_der(authority().certificate),)
    context = options.getContext()
    assert isinstance(context, SSL.Context)
    assert context.get_verify_mode() == SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT | SSL.VERIFY_CLIENT_ONCE


def test_a_method_is_deprecated():
    with pytest.deprecated_call(match="method"):
        assert mine(method=SSL.TLS_METHOD).method == SSL.TLS_METHOD


def test_they_can_be_copied():
    options = mine(trustRoot=trustRootFromCertificates([authority().root]), acceptableProtocols=[b"h2"])
    context = options.getContext()
    made = copy.copy(options)
    assert made.settings(False) == options.settings(False)
    assert made.getContext() is not context


def test_keys_are_not_shown():
    options = mine()
    key = key_der(server_certificate().privateKey.key)
    shown = repr(options) + repr(options.settings(False)) + repr(server_certificate())
    assert repr(key)[10:60] not in shown
    with pytest.raises((TypeError, pickle.PicklingError)):
        pickle.dumps(options)  # neither cryptography's keys nor OpenSSL's contexts let themselves be written down


# --- OpenSSL -----------------------------------------------------------------------------------------------------

OLD = {
    TLSVersion.SSLv3: SSL.OP_NO_SSLv3,
    TLSVersion.TLSv1_0: SSL.OP_NO_TLSv1,
    TLSVersion.TLSv1_1: SSL.OP_NO_TLSv1_1,
    TLSVersion.TLSv1_2: SSL.OP_NO_TLSv1_2,
    TLSVersion.TLSv1_3: SSL.OP_NO_TLSv1_3,
}


@pytest.mark.parametrize(
    ("arguments", "oldest", "newest"),
    [
        ({}, TLSVersion.TLSv1_2, TLSVersion.TLSv1_3),
        ({"raiseMinimumTo": TLSVersion.TLSv1_3}, TLSVersion.TLSv1_3, TLSVersion.TLSv1_3),
        ({"raiseMinimumTo": TLSVersion.SSLv3}, TLSVersion.TLSv1_2, TLSVersion.TLSv1_3),
        ({"insecurelyLowerMinimumTo": TLSVersion.SSLv3}, TLSVersion.SSLv3, TLSVersion.TLSv1_3),
        ({"insecurelyLowerMinimumTo": TLSVersion.TLSv1_3}, TLSVersion.TLSv1_3, TLSVersion.TLSv1_3),
        ({"lowerMaximumSecurityTo": TLSVersion.TLSv1_2}, TLSVersion.TLSv1_2, TLSVersion.TLSv1_2),
        ({"lowerMaximumSecurityTo": TLSVersion.TLSv1_0}, TLSVersion.TLSv1_0, TLSVersion.TLSv1_0),
        (
            {"insecurelyLowerMinimumTo": TLSVersion.TLSv1_0, "lowerMaximumSecurityTo": TLSVersion.TLSv1_2},
            TLSVersion.TLSv1_0,
            TLSVersion.TLSv1_2,
        ),
    ],
    ids=repr,
)
def test_versions(arguments, oldest, newest):
    options = mine(**arguments)
    flags = noted(options).flags
    assert {version for version, flag in OLD.items() if not flags & flag} == {
        version for version in TLSVersion if oldest <= version <= newest
    }
    fresh = mine(**arguments)
    if oldest >= TLSVersion.TLSv1_2:
        assert fresh.settings(False).versions == (oldest, newest)
    else:
        with pytest.raises(UnsupportedOption, match="To"):
            fresh.settings(False)


def test_flags_of_each_context():
    flags = noted(mine()).flags
    for flag in (SSL.OP_NO_SSLv2, SSL.OP_NO_COMPRESSION, SSL.OP_CIPHER_SERVER_PREFERENCE, SSL.OP_NO_RENEGOTIATION):
        assert flags & flag == flag
    assert flags & SSL.OP_NO_TICKET
    assert not noted(mine(enableSessionTickets=True)).flags & SSL.OP_NO_TICKET
    assert noted(mine(fixBrokenPeers=True)).flags & SSL.OP_ALL == SSL.OP_ALL


def test_what_a_context_is_told(tmp_path):
    calls = noted(mine()).calls
    assert calls["set_mode"] == [(SSL.MODE_RELEASE_BUFFERS,)]
    assert calls["set_cipher_list"] == [(DEFAULT_OPENSSL_CIPHERS.encode(),)]
    assert calls["set_session_cache_mode"] == [(SSL.SESS_CACHE_OFF,)]
    assert calls["set_verify"][0][0] == SSL.VERIFY_NONE
    calls = noted(
        mine(
            enableSessions=True,
            verifyDepth=3,
            dhParameters=DiffieHellmanParameters.fromFile(str(tmp_path / "dh.pem")),
            acceptableProtocols=[b"h2"],
            acceptableCiphers=AcceptableCiphers(
                [OpenSSLCipher("ECDHE-RSA-AES128-GCM-SHA256"), OpenSSLCipher("TLS_AES_128_GCM_SHA256")]
            ),
        )
    ).calls
    assert calls["set_session_cache_mode"] == [(SSL.SESS_CACHE_SERVER,)]
    assert calls["set_verify_depth"] == [(3,)]
    assert calls["load_tmp_dh"] == [(str(tmp_path / "dh.pem"),)]
    assert calls["set_alpn_protos"] == [([b"h2"],)]
    assert calls["set_cipher_list"] == [(b"ECDHE-RSA-AES128-GCM-SHA256",)]
    assert calls["set_tls13_ciphersuites"] == [(b"TLS_AES_128_GCM_SHA256",)]
    assert noted(mine()).calls["set_session_id"] != calls["set_session_id"]


def test_ciphers_of_the_newest_version_only():
    only = AcceptableCiphers([OpenSSLCipher("TLS_AES_256_GCM_SHA384")])
    made = noted(mine(acceptableCiphers=only))
    assert "set_cipher_list" not in made.calls
    assert made.flags & SSL.OP_NO_TLSv1_2


def test_files_with_paths_of_their_own(tmp_path):
    class Path:
        path = str(tmp_path / "dh.pem")

    assert noted(mine(dhParameters=DiffieHellmanParameters(Path()))).calls["load_tmp_dh"] == [(Path.path,)]


def test_the_context_is_made_once():
    options = mine()
    assert options.getContext() is options.getContext()


def test_roots_are_added():
    root = authority().root
    options = mine(trustRoot=root)
    assert options.verify
    assert options.requireCertificate
    store = options.getContext().get_cert_store()
    assert store is not None
    assert noted(mine(trustRoot=platformTrust())).calls["set_default_verify_paths"] == [()]


# --- the native implementation -----------------------------------------------------------------------------------


def test_settings_of_a_server():
    settings = mine(
        trustRoot=authority().root,
        acceptableProtocols=[b"a"],
        enableSessions=True,
        enableSessionTickets=True,
        keyLogFile="/tmp/keys",
        handshakeTimeout=3,
        acceptableCiphers=AcceptableCiphers(
            [OpenSSLCipher("ECDHE-RSA-AES128-GCM-SHA256"), OpenSSLCipher("AES128-SHA")]
        ),
    ).settings(False)
    assert not settings.client
    assert settings.roots == (certificate_der(authority().certificate),)
    assert settings.required
    assert not settings.check_name
    assert settings.alpn == (b"a",)
    assert settings.tickets
    assert settings.sessions
    assert settings.key_log == "/tmp/keys"
    assert settings.handshake_timeout == 3
    assert settings.suites == ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",)


def test_settings_of_a_client():
    plain = CertificateOptions().settings(True)
    assert plain.client
    assert plain.roots is None
    assert plain.identities == ()
    assert plain.suites is None
    trusting = CertificateOptions(trustRoot=authority().root).settings(True, check_name=True, send_name=False)
    assert trusting.check_name
    assert not trusting.send_name


def test_settings_are_made_once_and_those_that_are_equal_are_one():
    options = mine()
    assert options.settings(False) is options.settings(False)
    assert options.settings(False, [b"x"]) is not options.settings(False)
    assert options.settings(False, [b"x"]).alpn == (b"x",)
    assert mine().settings(False) == options.settings(False)
    assert hash(mine().settings(False)) == hash(options.settings(False))
    assert mine(enableSessions=True).settings(False) != options.settings(False)


def test_settings_with_names():
    other = authority().issue("b.example")
    names = CertificatesByName({"b.example": other, "*.c.example": other})
    settings = mine(contextForServerName=names).settings(False)
    assert len(settings.identities) == 3
    assert settings.names == (("b.example", 1), ("*.c.example", 2))
    assert settings.identities[1][0] == (certificate_der(other.certificate),)
    without = CertificateOptions(contextForServerName=names).settings(False)
    assert without.names == (("b.example", 0), ("*.c.example", 1))
    assert CertificateOptions(contextForServerName=names).settings(True).names == ()


def test_a_server_without_a_certificate():
    with pytest.raises(ValueError, match="certificate"):
        CertificateOptions().settings(False)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"dhParameters": DiffieHellmanParameters("x")}, "dhParameters"),
        ({"verifyDepth": 2}, "verifyDepth"),
        ({"contextForServerName": lambda name: None}, "contextForServerName"),
        (
            {"acceptableCiphers": AcceptableCiphers.fromOpenSSLCipherString("AES128-SHA:!TLSv1.3")},
            None,
        ),
        ({"acceptableCiphers": AcceptableCiphers([OpenSSLCipher("AES128-SHA")])}, "acceptableCiphers"),
        ({"lowerMaximumSecurityTo": TLSVersion.TLSv1_1}, "lowerMaximumSecurityTo"),
        ({"insecurelyLowerMinimumTo": TLSVersion.TLSv1_0}, "insecurelyLowerMinimumTo"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_options_that_the_native_implementation_lacks(arguments, named):
    if named is None:
        mine(**arguments).settings(False)
        return
    with pytest.raises(UnsupportedOption) as raised:
        mine(**arguments).settings(False)
    assert raised.value.option == named
    assert "viaOpenSSL" in str(raised.value)
    mine(**{name: value for name, value in arguments.items() if name != "dhParameters"}).getContext()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("method", "versions"),
    [
        (SSL.SSLv23_METHOD, (0x0303, 0x0304)),
        (SSL.TLS_METHOD, (0x0303, 0x0304)),
        (SSL.TLS_SERVER_METHOD, (0x0303, 0x0304)),
        (SSL.TLSv1_2_METHOD, (0x0303, 0x0303)),
        (SSL.TLSv1_METHOD, None),
        (SSL.TLSv1_1_METHOD, None),
    ],
)
def test_methods(method, versions):
    options = mine(method=method)
    if versions is None:
        with pytest.raises(UnsupportedOption, match="method"):
            options.settings(False)
    else:
        assert options.settings(False).versions == versions


@pytest.mark.parametrize(
    "harmless",
    [
        {"enableSingleUseKeys": False},
        {"verifyOnce": False},
        {"fixBrokenPeers": True},
        {"caCerts": []},
    ],
    ids=repr,
)
def test_options_without_effect_natively(harmless):
    assert mine(**harmless).settings(False) == mine().settings(False)


def test_a_key_that_the_native_implementation_cannot_use():
    from cryptography.hazmat.primitives.asymmetric import ed448

    key = KeyPair(ed448.Ed448PrivateKey.generate())
    certificate = key.selfSignedCert(1, CN=HOST)
    with pytest.raises(UnsupportedOption, match="privateKey"):
        certificate.options().settings(False)


def test_the_environment_names_a_key_log(monkeypatch):
    monkeypatch.setitem(os.environ, "SSLKEYLOGFILE", "/tmp/from-environment")
    assert mine().settings(False).key_log == "/tmp/from-environment"
    assert mine(keyLogFile="/tmp/mine").settings(False).key_log == "/tmp/mine"
    monkeypatch.setitem(os.environ, "SSLKEYLOGFILE", "")
    assert mine().settings(False).key_log is None
