"""Each description on the page about endpoints is understood."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.endpoints import clientFromString, inherited, serverFromString
from torsion.internet.endpoints.clients import CLIENTS
from torsion.internet.endpoints.servers import SERVERS
from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from torsion.internet.testing import MemoryReactorClock
from torsion.python.systemd import ListenFDs

PAGE = (Path(__file__).parents[4] / "docs" / "endpoints.md").read_text(encoding="utf-8")


def examples(kind):
    blocks = re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder with all the files that the page's examples name."""
    pytest.importorskip("cryptography")
    from torsion.internet.ssl import KeyPair

    folder = tmp_path_factory.mktemp("certificates")
    made = KeyPair.generate("ec", 256).selfSignedCert(1, CN="example.org")
    certificate, key = made.dump(1), made.privateKey.dump(1)
    for name, content in {
        "server.pem": certificate + key,
        "key.pem": key,
        "certificate.pem": certificate,
        "chain.pem": certificate + certificate,
        "certificates/example.org.pem": certificate + key,
        "roots/someone.pem": certificate,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def surroundings(monkeypatch):
    """Sockets that systemd handed over, and one behind every descriptor."""
    monkeypatch.setattr(inherited, "inherited", lambda: ListenFDs([5, 6], ["web", "mail"]))
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(os, "dup", lambda _, dup=os.dup: dup(server.fileno()))
        yield


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize("description", examples("server"))
def test_servers(description, request, monkeypatch):
    if "tls" in description or "ssl" in description:
        monkeypatch.chdir(request.getfixturevalue("certificates"))
    assert verifyObject(IStreamServerEndpoint, serverFromString(MemoryReactorClock(), description))


@pytest.mark.parametrize("description", examples("client"))
def test_clients(description, request, monkeypatch):
    if "tls" in description or "ssl" in description:
        monkeypatch.chdir(request.getfixturevalue("certificates"))
    assert verifyObject(IStreamClientEndpoint, clientFromString(MemoryReactorClock(), description))


@pytest.mark.parametrize(("kind", "table"), [("server", SERVERS), ("client", CLIENTS)])
def test_each_type_has_an_example_and_its_arguments_are_listed(kind, table):
    assert {line.partition(":")[0] for line in examples(kind)} - {"haproxy"} == set(table)
    section = PAGE.partition(f"## {kind.title()}s")[2].partition("\n## ")[0]
    for name, each in table.items():
        [listed] = re.findall(rf"^\*\*`{name}`\*\*(?: `([^`]*)`)?:", section, re.MULTILINE)
        if name == "unix" and kind == "client":
            listed += " checkPID"  # another word for lockfile
        assert listed.split() == [*each.order, *(["*"] if each.others else []), *each.others]


def test_the_error_on_the_page_is_real():
    shown = PAGE.partition("```\nendpoint description")[2].partition("```")[0]
    with pytest.raises(ValueError) as caught:
        serverFromString(None, "tcp:8080:interfase=127.0.0.1")
    assert f"endpoint description{shown}".strip().split("\n") == str(caught.value).split("\n")
