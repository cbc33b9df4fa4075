"""Certificates by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.protocol import Factory
from torsion.internet.ssl import CertificateOptions, KeyPair, optionsForClientTLS
from torsion.internet.tls import FILETYPE_PEM, BadCertificateFile, CertificateDirectory, CertificatesByName, TLSError
from torsion.internet.tls.formats import certificate_der
from torsion.internet.tls.sni import RECHECK_SECONDS, NameTable
from torsion.logger import capturedLogs
from unit.internet.tls.kit import DAY, Authority, Pair, Talker, authority


class Watch:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def shown(table, name) -> bytes:
    """Return the certificate that a table has for a name."""
    found = table.find(name)
    assert found is not None
    return found[0][0]


def der(certificate) -> bytes:
    return certificate_der(certificate.certificate)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (b"a.example", 0),
        (b"b.example", 1),
        (b"B.Example.", 1),
        (b"x.c.example", 2),
        (b"y.x.c.example", 0),
        (b"c.example", 0),
        (b"", 0),
        (None, 0),
        (b"\xff\xfe", 0),
    ],
)
def test_looking_up(name, place):
    identities = tuple(((bytes([number]),), b"key") for number in range(3))
    table = NameTable(identities, (("a.example", 0), ("b.example", 1), ("*.c.example", 2)))
    assert table.find(name) == identities[place]
    assert table.match(name) == (identities[place] if place or name == b"a.example" else None)
    assert NameTable((), ()).find(name) is None


@given(st.binary(max_size=300))
def test_any_name_can_be_asked_for(name):
    table = NameTable(((b"0", b"k"), (b"1", b"k")), (("*.example", 1),))
    assert table.find(name) in table.identities


def test_certificates_at_hand():
    a, b = authority().issue("a.example"), authority().issue("*.b.example")
    names = CertificatesByName(
        {"A.example": a, "*.b.example": b, "b\u00fccher.example": ([b, authority().certificate], b.privateKey)}
    )
    table = names.table()
    assert names.table() is table
    assert [name for name, _ in table.names] == ["a.example", "*.b.example", "xn--bcher-kva.example"]
    assert shown(table, b"x.b.example") == der(b)
    assert len(table.find(b"xn--bcher-kva.example")[0]) == 2
    with pytest.raises(ValueError, match="name"):
        CertificatesByName({"a..b": a})


# --- directories -------------------------------------------------------------------------------------------------


def write(path, *things) -> None:
    path.write_bytes(b"".join(thing if isinstance(thing, bytes) else thing.dumpPEM() for thing in things))


def test_a_directory(tmp_path):
    a, b, wild = authority().issue("a.example"), authority().issue("b.example"), authority().issue("*.w.example")
    write(tmp_path / "a.example.pem", a)
    write(tmp_path / "other.pem", b)
    write(tmp_path / "wild.pem", wild)
    write(tmp_path / "notes.txt", b"nothing to see here")
    (tmp_path / "folder.pem").mkdir()
    table = CertificateDirectory(tmp_path).table()
    assert shown(table, b"a.example") == der(a)
    assert shown(table, b"b.example") == der(b)
    assert shown(table, b"x.w.example") == der(wild)
    assert shown(table, b"other") == der(b)  # what the file is called after
    assert shown(table, b"unknown.example") == shown(table, None) == der(a)


def test_the_default_can_be_named(tmp_path):
    a, b = authority().issue("a.example"), authority().issue("b.example")
    write(tmp_path / "a.example.pem", a)
    write(tmp_path / "DEFAULT.pem", b)
    table = CertificateDirectory(tmp_path).table()
    assert shown(table, None) == der(b)
    assert shown(table, b"a.example") == der(a)


def test_the_name_of_a_file_beats_what_stands_in_another(tmp_path):
    both, own = authority().issue("a.example", "b.example"), authority().issue("b.example")
    write(tmp_path / "a.example.pem", both)
    write(tmp_path / "b.example.pem", own)
    table = CertificateDirectory(tmp_path).table()
    assert shown(table, b"b.example") == der(own)


def test_keys_and_issuers_in_files_of_their_own(tmp_path):
    top = Authority("Top")
    a = top.issue("a.example")
    middle = authority()
    b = middle.issue("b.example")
    write(tmp_path / "a.pem", a.dump(FILETYPE_PEM))
    write(tmp_path / "a-key.pem", a.privateKey.dump(FILETYPE_PEM))
    write(tmp_path / "b.pem", b.dump(FILETYPE_PEM), b.privateKey.dump(FILETYPE_PEM))
    write(tmp_path / "issuers.pem", middle.root.dump(FILETYPE_PEM))
    write(tmp_path / "unused.pem", KeyPair.generate("ec").dump(FILETYPE_PEM))
    with capturedLogs() as events:
        table = CertificateDirectory(tmp_path).table()
    assert shown(table, b"a.example") == der(a)
    assert len(table.find(b"b.example")[0]) == 1  # a root signs itself: clients have it already
    assert [event["path"] for event in events if "unused" in event["log_format"]] == [str(tmp_path / "unused.pem")]


def test_a_chain_is_completed(tmp_path):
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    root, middle = Authority("Root"), Authority("Middle")
    middle.certificate = root._sign(middle.name, middle.key.public_key(), 5, -DAY, DAY, ca=True)
    leaf = middle.issue("a.example")
    write(tmp_path / "a.pem", leaf)
    write(tmp_path / "z-issuers.pem", middle.root.dump(FILETYPE_PEM), root.root.dump(FILETYPE_PEM))
    chain, _ = CertificateDirectory(tmp_path).table().find(b"a.example")
    assert chain == (der(leaf), der(middle.root))
    assert isinstance(middle.certificate, x509.Certificate)
    assert isinstance(middle.key, ec.EllipticCurvePrivateKey)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bad.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "malformed"),
        ("bad.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key"),
    ],
)
def test_malformed_files_are_named(tmp_path, name, content, said):
    write(tmp_path / name, content)
    with pytest.raises(BadCertificateFile, match=said) as raised:
        CertificateDirectory(tmp_path)
    assert raised.value.path == str(tmp_path / name)


def test_a_key_that_does_not_fit_is_named(tmp_path):
    a = authority().issue("a.example")
    write(tmp_path / "a.pem", a.dump(FILETYPE_PEM), KeyPair.generate("ec").dump(FILETYPE_PEM))
    with pytest.raises(BadCertificateFile, match="private key") as raised:
        CertificateDirectory(tmp_path)
    assert raised.value.path == str(tmp_path / "a.pem")


def test_a_directory_that_is_none(tmp_path):
    with pytest.raises(BadCertificateFile, match="No such") as raised:
        CertificateDirectory(tmp_path / "missing")
    assert raised.value.path == str(tmp_path / "missing")


def test_an_empty_directory(tmp_path):
    assert CertificateDirectory(tmp_path).table().find(b"x") is None
    with pytest.raises(ValueError, match=rf"no certificate in \S*{tmp_path.name}: put one there"):
        CertificateOptions(contextForServerName=CertificateDirectory(tmp_path)).settings(False)


def test_changes_are_seen_after_a_while(tmp_path):
    clock = Watch()
    a, b = authority().issue("a.example"), authority().issue("b.example")
    write(tmp_path / "a.pem", a)
    directory = CertificateDirectory(tmp_path, clock=clock)
    first = directory.table()
    write(tmp_path / "b.pem", b)
    clock.now += RECHECK_SECONDS / 2
    assert directory.table() is first
    clock.now += RECHECK_SECONDS
    second = directory.table()
    assert shown(second, b"b.example") == der(b)
    clock.now += 10
    assert directory.table() is second
    renewed = authority().issue("a.example")
    write(tmp_path / "new", renewed)
    (tmp_path / "new").replace(tmp_path / "a.pem")
    (tmp_path / "b.pem").unlink()
    clock.now += 10
    third = directory.table()
    assert shown(third, b"a.example") == shown(third, b"b.example") == der(renewed)


def test_a_fault_that_comes_later_is_logged_and_changes_nothing(tmp_path):
    clock = Watch()
    a = authority().issue("a.example")
    write(tmp_path / "a.pem", a)
    directory = CertificateDirectory(tmp_path, clock=clock)
    first = directory.table()
    write(tmp_path / "b.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with capturedLogs() as events:
        clock.now += 10
        assert directory.table() is first
        clock.now += 10
        assert directory.table() is first
    assert len(events) == 1
    assert isinstance(events[0]["log_failure"].value, BadCertificateFile)
    (tmp_path / "b.pem").unlink()
    clock.now += 10
    assert shown(directory.table(), b"a.example") == der(a)
    (tmp_path / "a.pem").unlink()
    tmp_path.rmdir()
    with capturedLogs() as events:
        clock.now += 10
        assert shown(directory.table(), b"a.example") == der(a)
    assert len(events) == 1


# --- in connections ----------------------------------------------------------------------------------------------


def connected(options, host: str) -> Pair:
    return Pair(optionsForClientTLS(host, trustRoot=authority().root), options).run()


def test_a_server_with_several_certificates():
    names = CertificatesByName({name: authority().issue(name) for name in ("a.example", "b.example", "*.c.example")})
    options = CertificateOptions(contextForServerName=names, acceptableProtocols=[b"h2"])
    for host in ("a.example", "b.example", "x.c.example"):
        talk = connected(options, host)
        assert talk.c.events == ["made", "secure"]
    assert isinstance(connected(options, "d.example").c.error, TLSError)
    default = CertificateOptions(
        privateKey=(own := authority().issue("d.example")).privateKey, certificate=own, contextForServerName=names
    )
    for host in ("b.example", "d.example"):
        assert connected(default, host).c.events == ["made", "secure"]


def test_a_directory_that_changes_under_a_server(tmp_path):
    clock = Watch()
    write(tmp_path / "a.pem", authority().issue("a.example"))
    options = CertificateOptions(contextForServerName=CertificateDirectory(tmp_path, clock=clock))
    assert connected(options, "a.example").c.events == ["made", "secure"]
    write(tmp_path / "b.pem", authority().issue("b.example"))
    clock.now += 10
    assert connected(options, "b.example").c.events == ["made", "secure"]
    before = options.settings(False)
    assert ("b.example", 1) in before.names
    (tmp_path / "a.pem").unlink()
    clock.now += 10
    after = options.settings(False)
    assert ("b.example", 0) in after.names
    assert options.settings(False) is after


def test_no_certificate_at_all(tmp_path):
    options = CertificateOptions(contextForServerName=CertificateDirectory(tmp_path))
    with capturedLogs() as events:
        talk = connected(options, "a.example")
    assert "no server certificate for name" in events[0]["log_format"]
    assert isinstance(talk.c.error, TLSError)


def test_a_function_that_chooses_contexts():
    asked = []

    def choose(name):
        asked.append(name)
        return authority().issue("a.example").options().getContext() if name else None

    options = CertificateOptions(
        privateKey=(own := authority().issue("d.example")).privateKey, certificate=own, contextForServerName=choose
    )
    assert connected(options, "a.example").c.events == ["made", "secure"]
    silent = optionsForClientTLS("d.example", trustRoot=authority().root, sendServerName=False)
    assert Pair(silent, options).run().c.events == ["made", "secure"]
    assert asked == [b"a.example", None]


def test_a_function_that_raises():
    def choose(name):
        raise ZeroDivisionError("no idea")

    own = authority().issue("d.example")
    options = CertificateOptions(privateKey=own.privateKey, certificate=own, contextForServerName=choose)
    with capturedLogs() as events:
        talk = Pair(
            optionsForClientTLS("d.example", trustRoot=authority().root),
            options,
            server_factory=Factory.forProtocol(Talker),
        ).run()
    assert [event["log_failure"].type for event in events] == [ZeroDivisionError]
    assert isinstance(talk.s.error, TLSError)
    assert "no idea" in str(talk.s.error)
    assert isinstance(talk.c.error, TLSError)
