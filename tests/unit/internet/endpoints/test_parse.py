"""Endpoints from strings."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    clientFromString,
    quoteStringArgument,
    serverFromString,
)
from torsion.internet.endpoints.parse import split


class Reactor:
    """Notes what endpoints ask of it."""

    def listenTCP(self, port, factory, backlog, interface):
        self.listened = port, backlog, interface

    def connectTCP(self, host, port, factory, timeout, bindAddress):
        self.connected = host, port, timeout, bindAddress


def listened(description):
    reactor = Reactor()
    serverFromString(reactor, description).listen(None)
    return reactor.listened


def connected(description):
    reactor = Reactor()
    clientFromString(reactor, description).connect(None)
    return reactor.connected


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("tcp:80", (80, 50, "")),
        ("tcp:port=80", (80, 50, "")),
        ("tcp:0", (0, 50, "")),
        ("tcp:80:interface=127.0.0.1", (80, 50, "127.0.0.1")),
        ("tcp:80:127.0.0.1:5", (80, 5, "127.0.0.1")),
        ("tcp:backlog=5:interface=\\:\\:1:port=80", (80, 5, "::1")),
        ("tcp6:80", (80, 50, "::")),
        ("tcp6:port=80:interface=\\:\\:1", (80, 50, "::1")),
    ],
)
def test_servers(description, expected):
    assert listened(description) == expected


def test_kinds_of_servers():
    assert type(serverFromString(None, "tcp:80")) is TCP4ServerEndpoint
    assert type(serverFromString(None, "tcp6:80")) is TCP6ServerEndpoint
    assert type(clientFromString(None, "tcp:host:80")) is TCP4ClientEndpoint


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("tcp:host.example:80", ("host.example", 80, 30, None)),
        ("tcp:host=host.example:port=80", ("host.example", 80, 30, None)),
        ("tcp:host.example:port=80", ("host.example", 80, 30, None)),
        ("tcp:host=host.example:80", ("host.example", 80, 30, None)),
        ("tcp:80:host=host.example", ("host.example", 80, 30, None)),
        ("tcp:port=80:host=h:timeout=7:bindAddress=127.0.0.2", ("h", 80, 7, ("127.0.0.2", 0))),
        ("tcp:\\:\\:1:80:timeout=0", ("::1", 80, 0, None)),
    ],
)
def test_clients(description, expected):
    assert connected(description) == expected


@pytest.mark.parametrize(
    ("description", "complaint"),
    [
        ("", "unknown type ''"),
        ("80", "unknown type '80'"),
        ("bogus:80", "unknown type 'bogus'; known are tcp, tcp6"),
        (" tcp:80", "unknown type ' tcp'"),
        ("tcp", "lacks its port"),
        ("tcp:", "port ''"),
        ("tcp:http", "port 'http', which is no whole number"),
        ("tcp:80.5", "port '80.5'"),
        ("tcp:-1", "port -1, which is not between 0 and 65535"),
        ("tcp:65536", "port 65536"),
        ("tcp:80:backlog=many", "backlog 'many'"),
        ("tcp:80:backlog=0", "backlog 0"),
        ("tcp:80:::::", "has 6 values without a name, but only port, interface, backlog may be so"),
        ("tcp:80:colour=red", "unknown argument 'colour'; known are port, interface, backlog"),
        ("tcp:80:port=81", "gives 'port' twice"),
        ("tcp:port=80:port=81", "gives 'port' twice"),
        ("tcp:80\\", "ends in a backslash"),
    ],
)
def test_bad_servers(description, complaint):
    with pytest.raises(ValueError, match=re.escape(repr(description))) as caught:
        serverFromString(None, description)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("description", "complaint"),
    [
        ("tcp6:h:80", "unknown type 'tcp6'; known are tcp"),
        ("tcp", "lacks its host"),
        ("tcp::80", "lacks its host"),
        ("tcp:h", "lacks its port"),
        ("tcp:h:0", "port 0"),
        ("tcp:h:http", "port 'http'"),
        ("tcp:h:80:timeout=soon", "timeout 'soon'"),
        ("tcp:h:80:timeout=-1", "timeout -1"),
        ("tcp:h:80:9", "has 3 values"),
        ("tcp:host=h:port=80:9", "only none may be so"),
        ("tcp:h:80:colour=red", "unknown argument 'colour'; known are host, port, timeout, bindAddress"),
    ],
)
def test_bad_clients(description, complaint):
    with pytest.raises(ValueError, match=re.escape(repr(description))) as caught:
        clientFromString(None, description)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("description", [b"tcp:80", None, 80])
def test_no_string(description):
    for function in (serverFromString, clientFromString):
        with pytest.raises(TypeError, match="is a str"):
            function(None, description)


def test_split():
    assert split("unix:a=b=c:d\\:e\\=f:\\\\") == (["unix", "d:e=f", "\\"], {"a": "b=c"})


@given(
    st.lists(st.text(alphabet=":=\\ab", max_size=8), min_size=1),
    st.dictionaries(st.text("xyz", min_size=1), st.text(":=\\ab")),
)
def test_quoted_arguments_come_back(values, named):
    quoted = [quoteStringArgument(value).replace("=", "\\=") for value in values]
    quoted += [f"{name}={quoteStringArgument(value)}" for name, value in named.items()]
    assert split(":".join(quoted)) == (values, named)


@given(st.text())
def test_any_text_is_parsed_or_refused(text):
    for function in (serverFromString, clientFromString):
        with suppress(ValueError):
            function(None, text)
