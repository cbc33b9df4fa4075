"""Who speaks HTTP/2: a site, where h2 is installed, unless it is told otherwise.  See ``tests/interop/web``, for TLS."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

pytest.importorskip("h2")

from torsion.web.http import factory
from torsion.web.http2 import HTTP2Connection
from torsion.web.server import Site
from unit.web.http2.raw import PREFACE, Page, Raw, get, outcome, settings


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """h2 is not installed."""
    for name in ("h2", "h2.config", "h2.connection"):
        monkeypatch.setitem(sys.modules, name, None)
    factory._has_h2.cache_clear()
    yield
    factory._has_h2.cache_clear()


def answer(raw: Raw, sent: bytes) -> bytes:
    raw.channel.dataReceived(sent)
    written: bytes = raw.transport.value()
    return written


def test_by_default() -> None:
    assert Site(Page()).acceptableProtocols() == [b"h2", b"http/1.1"]
    raw = Raw()
    assert outcome(raw, raw.send(get())) == "200"
    assert answer(Raw(greet=False), b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("off", [False, None])
def test_a_site_that_does_not(off: bool | None) -> None:
    site = Site(Page())
    site.http2 = off
    assert site.acceptableProtocols() == [b"http/1.1"]
    assert Site(Page(), http2=False).acceptableProtocols() == [b"http/1.1"]
    raw = Raw(greet=False, http2=off)
    assert answer(raw, PREFACE + settings()).startswith(b"HTTP/1.1 505 ")
    assert raw.closed


def test_a_class_of_sites_that_does_not() -> None:
    class Old(Site):
        http2 = False

    assert Old(Page()).acceptableProtocols() == [b"http/1.1"]
    assert Old(Page(), http2=True).acceptableProtocols() == [b"h2", b"http/1.1"]


@pytest.mark.usefixtures("missing")
def test_without_h2() -> None:
    assert Site(Page()).acceptableProtocols() == [b"http/1.1"]
    raw = Raw(greet=False)
    assert answer(raw, PREFACE + settings()).startswith(b"HTTP/1.1 505 ")
    assert raw.closed
    assert answer(Raw(greet=False), b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.usefixtures("missing")
def test_without_h2_who_asks_for_it_is_told_what_to_install() -> None:
    with pytest.raises(ImportError, match=r"pip install torsion\[http2\]"):
        HTTP2Connection(Raw(greet=False).channel)


def test_an_upgrade_in_the_clear_is_ignored() -> None:
    """RFC 9113, 3.1: nobody does it any more."""
    asked = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    written = answer(Raw(greet=False), asked)
    assert written.startswith(b"HTTP/1.1 200 ")
    assert b"pgrade" not in written


def test_h2_is_not_imported_before_somebody_speaks_it() -> None:
    program = (
        "import sys; from torsion.web.server import Site; from torsion.web.resource import Resource; "
        "site = Site(Resource()); site.acceptableProtocols(); site.buildProtocol(None); "
        "print([name for name in sys.modules if name.split('.')[0] in ('h2', 'hpack') or name == 'torsion.web.http2'])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.split() == ["[]"]
